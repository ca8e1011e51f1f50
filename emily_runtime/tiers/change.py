"""Whether a stream's level has changed: the test of Page (1954) and Hinkley (1971), both ways.

With m_n the running mean, the sums U_n = alpha U_(n-1) + x_n - m_n - delta and
D_n = alpha D_(n-1) + x_n - m_n + delta drift away from a level that stays. A change is told when U
has risen above its lowest point, or D has fallen below its highest, by more than the threshold;
then everything begins anew.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from emily_runtime.tiers.refusals import Refusal


@dataclass(frozen=True)
class Change:
    """The parameters, in the stream's own unit; Refusal where everything or nothing is a change."""

    slack: float = 0.5
    """delta: a change of less than this is none."""
    threshold: float = 15.0
    """A change by s > delta is told after about threshold / (s - delta) values."""
    memory: float = 1.0
    """alpha: what a sum keeps from value to value; below 1, a long calm wears the slack away."""
    patience: int = 30
    """Values before anything is told, for the mean to settle."""

    def __post_init__(self) -> None:
        if not (self.slack >= 0 and self.threshold > 0 and 0 < self.memory <= 1):
            raise Refusal("change: slack >= 0, threshold > 0 and 0 < memory <= 1 are needed")


class Level(NamedTuple):
    """What is known of the stream since the last change."""

    seen: int = 0
    mean: float = 0.0
    risen: float = 0.0
    """U"""
    lowest: float = math.inf
    """Of U."""
    fallen: float = 0.0
    """D"""
    highest: float = -math.inf
    """Of D."""


ANEW = Level()
_new = tuple.__new__  # half the time of Level(...), which is written in Python


def watched(by: Change, level: Level, value: float) -> tuple[Level, bool]:
    """The level after VALUE, and whether it has changed; Refusal for a value that isn't finite."""
    seen, mean, risen, lowest, fallen, highest = level
    if not math.isfinite(value):
        raise Refusal("a value is not finite")
    seen += 1
    mean += (value - mean) / seen
    away = value - mean
    risen = by.memory * risen + away - by.slack
    fallen = by.memory * fallen + away + by.slack
    if risen < lowest:
        lowest = risen
    if fallen > highest:
        highest = fallen
    if seen >= by.patience and (risen - lowest > by.threshold or highest - fallen > by.threshold):
        return ANEW, True
    return _new(Level, (seen, mean, risen, lowest, fallen, highest)), False
