"""Growing deaf to a source that repeats itself, and hearing it again after a rest."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from emily_runtime.tiers.refusals import Refusal

_new = tuple.__new__  # half the time of Habit(...), which is written in Python
FORGOTTEN = 1e-3
"""Below this, a source counts as new."""
SWEEP = 64
"""Cycles between two searches for what has been forgotten."""


@dataclass(frozen=True)
class Habituation:
    """The parameters; Refusal where they would amplify."""

    rate: float = 0.3
    """eta: the share of what is left of a source's salience that a broadcast takes."""
    recovery: float = 10.0
    """tau, in seconds."""
    novelty: float = 0.5
    """The share of all habituation that the ignition of a new source undoes."""

    def __post_init__(self) -> None:
        if not (0 <= self.rate < 1 and self.recovery > 0 and 0 <= self.novelty <= 1):
            raise Refusal("habituation: 0 <= rate < 1, recovery > 0, 0 <= novelty <= 1 are needed")


class Habit(NamedTuple):
    """What is known of one source."""

    strength: float
    """h, from 0 to 1, when it last spoke."""
    time: float
    """Seconds; when it last spoke."""
    cycle: int
    """The cycle in which it last spoke."""


Habits = Mapping[str, Habit]


class Now(NamedTuple):
    """A moment of the workspace."""

    time: float
    """Seconds."""
    cycle: int


def strength(by: Habituation, habits: Habits, source: str, now: Now) -> float:
    """h of a source: h e^(-t/tau) after a silence of t; who speaks in each cycle has no rest."""
    habit = habits.get(source)
    if habit is None:
        return 0.0
    if habit.cycle >= now.cycle - 1:
        return habit.strength
    return habit.strength * math.exp(min(0.0, habit.time - now.time) / by.recovery)


def heard(by: Habituation, habits: Habits, sources: Iterable[str], now: Now) -> dict[str, Habit]:
    """Habits after SOURCES have spoken, whether or not they were broadcast."""
    after = dict(habits)
    for source in sources:
        if source in after:
            after[source] = _new(Habit, (strength(by, habits, source, now), *now))
    if now.cycle % SWEEP == 0:
        faded = [name for name in after if strength(by, after, name, now) < FORGOTTEN]
        for name in faded:
            del after[name]
    return after


def broadcast(
    by: Habituation, habits: Habits, sources: Sequence[str], now: Now
) -> dict[str, Habit]:
    """Habits after a broadcast of SOURCES: h + eta(1 - h) for each time one is named.

    When a new one is among them, a part of all earlier habituation is undone (dishabituation).
    """
    is_new = any(strength(by, habits, source, now) < FORGOTTEN for source in sources)
    after = dict(habits)
    if is_new:
        kept = 1.0 - by.novelty
        for name, (known, time, cycle) in habits.items():
            after[name] = _new(Habit, (known * kept, time, cycle))
    for source in sources:
        known = strength(by, after, source, now)
        after[source] = Habit(known + by.rate * (1 - known), *now)
    return after
