"""Tier 1: five slow levels that push back against what drives them, as opponent processes.

da/dt = -k(a + gamma b) + W a + u and db/dt = beta(a - b), after Solomon & Corbit (1974): a primary
process a, and an opponent b that follows it slowly and outlasts it. A level is a set-point plus a.
The set-point itself moves toward the demand that is predicted (allostasis, Sterling 2012). The
transmitters are names of these five variables; nothing is claimed of brains.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from emily_runtime.tiers.arrays import Floats, floats, locked
from emily_runtime.tiers.exponential import exponential
from emily_runtime.tiers.refusals import Refusal
from emily_runtime.tiers.stability import refuse_unstable

TRANSMITTERS = ("dopamine", "serotonin", "oxytocin", "cortisol", "norepinephrine")
COUNT = len(TRANSMITTERS)
Five = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Substrate:
    """The parameters, in the order of TRANSMITTERS; Refusal or Unstable where they are wrong."""

    rate: Five = (0.5,) * 5
    """k, per second: how fast a level returns."""
    opponent_rate: Five = (0.05,) * 5
    """beta, per second: how fast the opponent follows; less than k."""
    opposition: Five = (0.6,) * 5
    """gamma: how strongly the opponent pushes back; 0 is none."""
    coupling: tuple[Five, ...] = ((0.0,) * 5,) * 5
    """W, per second: row i, column j is what j does to i."""
    setpoint_rate: float = 0.002
    """eta, per second: how fast set-points follow the prediction; a tenth of beta at most."""
    lowest: float = 0.1
    highest: float = 0.9
    """The bounds of a set-point."""
    system: Floats = field(init=False, repr=False, compare=False)
    """M (10, 10), per second: of the five a and then the five b."""

    def __post_init__(self) -> None:
        k = floats(self.rate, (COUNT,), "substrate: rate")
        beta = floats(self.opponent_rate, (COUNT,), "substrate: opponent_rate")
        gamma = floats(self.opposition, (COUNT,), "substrate: opposition")
        coupling = floats(self.coupling, (COUNT, COUNT), "substrate: coupling")
        if not (beta > 0).all() or not (beta < k).all():
            raise Refusal("substrate: 0 < opponent_rate < rate is needed for each transmitter")
        if (gamma < 0).any():
            raise Refusal("substrate: opposition must not be negative")
        if not 0 < self.setpoint_rate <= beta.min() / 10:
            raise Refusal("substrate: setpoint_rate must be above 0 and a tenth of opponent_rate")
        if not 0 <= self.lowest < self.highest <= 1:
            raise Refusal("substrate: 0 <= lowest < highest <= 1 is needed")
        upper = np.hstack([coupling - np.diag(k), -np.diag(k * gamma)])
        system = np.vstack([upper, np.hstack([np.diag(beta), -np.diag(beta)])])
        refuse_unstable(system, TRANSMITTERS)
        object.__setattr__(self, "system", locked(system))


@dataclass(frozen=True, eq=False)
class Levels:
    """The state."""

    process: Floats
    """(10,): the five a and then the five b."""
    setpoint: Floats
    """(5,)"""

    @property
    def deviation(self) -> Floats:
        """a (5,): how far each level is from its set-point."""
        return self.process[:COUNT]

    @property
    def shown(self) -> Floats:
        """The levels (5,) as one displays them, between 0 and 1."""
        return np.clip(self.setpoint + self.deviation, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Step:
    """The exact solution over one length of time, for input that is constant within it."""

    transition: Floats
    """e^(M dt), (10, 10)."""
    response: Floats
    """The integral of e^(M t) over dt for input to each a, (10, 5), seconds."""
    pull: float
    """1 - e^(-eta dt)"""


def at_rest(setpoint: float = 0.5) -> Levels:
    """All levels at one set-point."""
    return Levels(locked(np.zeros(2 * COUNT)), locked(np.full(COUNT, setpoint)))


def step(substrate: Substrate, seconds: float) -> Step:
    """The step for a length of time, made once and used at each tick.

    Both parts stand in the exponential of [[M, B], [0, 0]] dt, which needs no inverse of M and
    loses no digits where dt is small (Van Loan 1978).
    """
    if not 0 <= seconds < math.inf:
        raise Refusal(f"substrate: a step of {seconds} seconds")
    size = 2 * COUNT
    block = np.zeros((size + COUNT, size + COUNT))
    block[:size, :size] = substrate.system * seconds
    block[:COUNT, size:] = np.eye(COUNT) * seconds
    whole = exponential(block)
    pull = -math.expm1(-substrate.setpoint_rate * seconds)
    return Step(locked(whole[:size, :size].copy()), locked(whole[:size, size:].copy()), pull)


def advance(by: Step, levels: Levels, drive: Floats) -> Levels:
    """The levels one step later, under a DRIVE u (5,) per second; set-points stay."""
    process = by.transition @ levels.process + by.response @ drive
    return Levels(process, levels.setpoint)


def adjust(substrate: Substrate, by: Step, levels: Levels, predicted: Floats) -> Levels:
    """Set-points one step closer to the PREDICTED demand (5,), within their bounds."""
    goal = predicted.clip(substrate.lowest, substrate.highest)
    return Levels(levels.process, levels.setpoint + by.pull * (goal - levels.setpoint))


def drive(substrate: Substrate, levels: Levels, demand: Floats) -> Floats:
    """u (5,) per second for a DEMAND (5,) in levels: what the set-points don't meet already.

    Held up for long, an uncoupled level comes to rest (demand - set-point)/(1 + gamma) above the
    set-point.
    """
    wanted: Floats = np.asarray(substrate.rate) * (demand - levels.setpoint)
    return wanted
