"""Everything that the cycle is a function of beside its state and its input."""

from dataclasses import dataclass, field

import numpy as np

from emily_runtime.mind.body import Pace
from emily_runtime.mind.situation import Action, Outlook, Result, model
from emily_runtime.mind.stimulus import Reading
from emily_runtime.tiers.alpha import Alpha
from emily_runtime.tiers.arrays import Floats, locked
from emily_runtime.tiers.inference.model import Model
from emily_runtime.tiers.inference.policies import Policies, every_policy
from emily_runtime.tiers.modulation import DEEPEST
from emily_runtime.tiers.reflex import Reflexes, reflexes
from emily_runtime.tiers.refusals import Refusal
from emily_runtime.tiers.substrate import Substrate
from emily_runtime.tiers.workspace import Rules


@dataclass(frozen=True)
class Inference:
    """How policies are weighed; Refusal where the numbers can't be computed with."""

    precision: float = 4.0
    """gamma, before dopamine's factor."""
    horizon: int = DEEPEST
    """The most steps that serotonin may set."""
    looks: int = 1
    """How often in a row to look before something else must be done."""
    outlook: Outlook = field(default_factory=Outlook)

    def __post_init__(self) -> None:
        if not 0 < self.precision < 1e6:
            raise Refusal(f"inference: precision {self.precision} must be above 0")
        if not 1 <= self.horizon <= DEEPEST:
            raise Refusal(f"inference: horizon {self.horizon} must be within 1 and {DEEPEST}")
        if self.looks < 0:
            raise Refusal(f"inference: looks {self.looks} must not be negative")


@dataclass(frozen=True)
class Hypothesising:
    """How hypotheses are drawn."""

    count: int = 5
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 < self.temperature < 1e6:
            raise Refusal("gflownet: count >= 1 and temperature > 0 are needed")


@dataclass(frozen=True, eq=False)
class Settings:
    """The parameters of all tiers, and what follows from them once."""

    alpha: Alpha = field(default_factory=Alpha)
    substrate: Substrate = field(default_factory=Substrate)
    workspace: Rules = field(default_factory=Rules)
    inference: Inference = field(default_factory=Inference)
    gflownet: Hypothesising = field(default_factory=Hypothesising)
    reflexes: Reflexes = field(default_factory=lambda: reflexes(()))
    reading: Reading = field(default_factory=Reading)
    pace: Pace = field(init=False)
    model: Model = field(init=False)
    policies: tuple[Policies, ...] = field(init=False)
    """By horizon, from one step on."""
    worths: Floats = field(init=False)
    """(4, 12): what each action's result is expected to be worth in each state, from -1 to 1."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pace", Pace(self.substrate, self.alpha.frequency))
        object.__setattr__(self, "model", model(self.inference.outlook))
        horizons = range(1, self.inference.horizon + 1)
        policies = tuple(every_policy(len(Action), steps) for steps in horizons)
        object.__setattr__(self, "policies", policies)
        results = self.model.likelihood.reshape(-1, len(Result), len(self.model.prior)).sum(axis=0)
        worth = np.array([self.worth(result) for result in Result])
        worths = np.stack([worth @ results @ moved for moved in self.model.transition])
        object.__setattr__(self, "worths", locked(worths))

    def worth(self, result: Result) -> float:
        """A result's preference as a share of the strongest, from -1 to 1."""
        outlook = self.inference.outlook
        worth = {Result.NEUTRAL: 0.0, Result.GOOD: outlook.good, Result.BAD: outlook.bad}
        return worth[result] / max(outlook.good, -outlook.bad)
