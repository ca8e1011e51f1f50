"""What the runtime infers about, in the form of the T-maze: a situation, and what to do about it.

Hidden are what one is doing (4) and which situation holds (3). Evidence about the situation comes
only to the one who looks; what comes of an action depends on the situation. So expected free energy
weighs acting now against looking first. States, actions and figures are a choice, not a finding.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from emily_runtime.tiers.arrays import Floats
from emily_runtime.tiers.inference.model import Model, joint
from emily_runtime.tiers.refusals import Refusal


class Action(IntEnum):
    """What can be done about what was broadcast."""

    WAIT = 0
    LOOK = 1
    """Ask memory before anything else."""
    ANSWER = 2
    ALERT = 3


class Situation(IntEnum):
    """What a stimulus may be part of."""

    CALM = 0
    QUESTION = 1
    TROUBLE = 2


class Result(IntEnum):
    """What came of an action."""

    NEUTRAL = 0
    GOOD = 1
    BAD = 2


UNSEEN = 0
"""The evidence of one who does not look; evidence for situation s is s + 1."""
CHANCES = {  # of a good and of a bad result, in each situation; the rest is neutral
    Action.WAIT: ((0.1, 0.01), (0.05, 0.6), (0.05, 0.85)),
    Action.LOOK: ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
    Action.ANSWER: ((0.1, 0.3), (0.85, 0.1), (0.2, 0.6)),
    Action.ALERT: ((0.05, 0.8), (0.05, 0.8), (0.85, 0.1)),
}


@dataclass(frozen=True)
class Outlook:
    """How the situation is read and what is wished for; Refusal where nothing could be learned."""

    reliability: float = 0.85
    """p(evidence for s | s) for one who looks."""
    persistence: float = 0.9
    """p(the situation holds on for a cycle); else it is drawn anew from the prior."""
    good: float = 2.0
    """ln preference of a good result over a neutral one, nats."""
    bad: float = -3.0
    """ln preference of a bad one."""
    prior: tuple[float, float, float] = (0.5, 0.3, 0.2)
    """Of calm, question and trouble."""

    def __post_init__(self) -> None:
        chance = 1 / len(Situation)
        if not chance < self.reliability < 1:
            raise Refusal(f"inference: reliability {self.reliability} is not within 1/3 and 1")
        if not 0 <= self.persistence < 1:
            raise Refusal(f"inference: persistence {self.persistence} is not within 0 and 1")
        if not self.bad < 0 < self.good:
            raise Refusal("inference: bad < 0 < good is needed")


def model(outlook: Outlook) -> Model:
    """A, B, C and D over 12 joint states, 12 joint outcomes (evidence, result) and 4 actions."""
    doings, situations = len(Action), len(Situation)
    evidence = np.zeros((situations + 1, doings, situations))
    evidence[UNSEEN] = 1.0
    evidence[:, Action.LOOK] = np.vstack([np.zeros(situations), _noisy(outlook.reliability)])
    result = np.zeros((len(Result), doings, situations))
    for action, chances in CHANCES.items():
        for situation, (good, bad) in enumerate(chances):
            result[:, action, situation] = 1 - good - bad, good, bad
    doing = np.zeros((doings, doings, doings))
    for action in Action:
        doing[action, action] = 1.0
    likes = [np.zeros(situations + 1), np.array([0.0, outlook.good, outlook.bad])]
    start = [np.eye(doings)[Action.WAIT], np.array(outlook.prior)]
    anew = np.outer(outlook.prior, np.ones(situations)) * (1 - outlook.persistence)
    lasts = anew + np.eye(situations) * outlook.persistence
    return joint([evidence, result], [doing, lasts[np.newaxis]], likes, start)


def outcome(evidence: int, result: Result) -> int:
    """The number of a joint outcome."""
    return evidence * len(Result) + result


def situations(belief: Floats) -> Floats:
    """The belief about the situation alone (3,), of one about joint states (12,)."""
    alone: Floats = belief.reshape(len(Action), len(Situation)).sum(axis=0)
    return alone


def _noisy(right: float) -> Floats:
    """A square of probabilities, RIGHT on its diagonal and the rest spread evenly."""
    size = len(Situation)
    table: Floats = np.full((size, size), (1 - right) / (size - 1))
    np.fill_diagonal(table, right)
    return table
