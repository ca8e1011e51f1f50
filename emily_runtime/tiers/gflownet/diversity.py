"""How varied samples are, what that should be, and when a sampler has collapsed onto few modes.

A reward decides how varied its samples are: of n draws, sum over x of 1 - (1 - p_x)^n are expected
to differ. So nothing is measured against a fixed number, only against the exact expectation.
"""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from emily_runtime.tiers.arrays import TINY, Floats, Integers

LEVEL = 1e-3
"""The chance of a false alarm is at most this for each sign; the bounds are seldom reached."""
FEWEST = 30
"""Samples below which no alarm is raised."""
COVERED = 0.5
EVEN = 0.3


class Alarm(Enum):
    """What is wrong with the variety of a sample."""

    COLLISIONS = "collisions"
    COVERAGE = "coverage"
    ENTROPY = "entropy"


@dataclass(frozen=True)
class Diversity:
    """The variety of a sample beside what its target leads one to expect."""

    drawn: int
    unique: int
    expected_unique: float
    collisions: int
    """Pairs of equal samples."""
    expected_collisions: float
    chance: float
    """At most this, that a right sampler repeats itself as much."""
    coverage: float
    """Modes that were seen, as a share of how many are expected to be."""
    evenness: float
    """The sample's entropy as a share of the highest to be expected, from 0 to about 1."""
    alarms: tuple[Alarm, ...]


def expected_unique(target: Floats, count: int) -> float:
    """Of COUNT independent draws from TARGET (n,), how many differ on average."""
    return float(_seen(target, count).sum())


def unique_deviation(target: Floats, count: int) -> float:
    """The standard deviation of the same, exactly; slow where many probabilities differ."""
    values, sizes = np.unique(target[target > 0], return_counts=True)
    missed = 1 - _seen(values, count)
    variance = float((sizes * missed * (1 - missed)).sum())
    for place, value in enumerate(values):
        both = np.maximum(1 - value - values, 0) ** count - missed[place] * missed
        others = sizes - (np.arange(len(sizes)) == place)
        variance += float(sizes[place] * (others * both).sum())
    return math.sqrt(max(0.0, variance))


def diversity(samples: Integers, target: Floats) -> Diversity:
    """Judge SAMPLES (drawn,), numbers of states, against a TARGET (states,)."""
    drawn = len(samples)
    states, times = np.unique(samples, return_counts=True)
    chance = _collisions(times, target)
    squares = float(target @ target)
    coverage, is_covered = _coverage(states, target, drawn)
    evenness = _evenness(times, squares)
    raised = {
        Alarm.COLLISIONS: chance < LEVEL,
        Alarm.COVERAGE: not is_covered,
        Alarm.ENTROPY: evenness < EVEN,
    }
    return Diversity(
        drawn=drawn,
        unique=len(states),
        expected_unique=expected_unique(target, drawn),
        collisions=int((times * (times - 1) // 2).sum()),
        expected_collisions=math.comb(drawn, 2) * squares,
        chance=chance,
        coverage=coverage,
        evenness=evenness,
        alarms=tuple(alarm for alarm, is_on in raised.items() if is_on and drawn >= FEWEST),
    )


def _seen(target: Floats, count: int) -> Floats:
    """The probability that each is among COUNT draws."""
    with np.errstate(divide="ignore"):  # ln 0 where something is certain
        seen: Floats = -np.expm1(count * np.log1p(-target))
    return seen


def _collisions(times: Integers, target: Floats) -> float:
    """A bound of the chance that a right sampler repeats itself as much.

    Two signs, each with its bound and doubled for being two. How many terminals came twice or
    more: indicators of that are negatively associated, so Chernoff's bound for independent ones
    holds. And how often the most frequent came: Hoeffding's bound, summed over all terminals. The
    number of equal pairs is no sign: a triple makes three, and its tail is far above Poisson's.
    """
    drawn, most = int(times.sum()), int(times.max())
    possible = target[target > 0]
    some = drawn * possible * np.exp((drawn - 1) * np.log1p(-np.minimum(possible, 1 - 1e-16)))
    mean = float((_seen(possible, drawn) - some).sum())
    several = int((times > 1).sum())
    by_several = chernoff(several, mean) if several > mean else 1.0
    return min(1.0, 2 * min(by_several, _most_frequent(most, drawn, possible)))


def _most_frequent(most: int, drawn: int, possible: Floats) -> float:
    """A bound of the chance that any terminal comes MOST times."""
    share = most / drawn
    rare = possible[possible < share]
    if len(rare) < len(possible):
        return 1.0
    divergence = share * np.log(share / rare)
    if share < 1:
        divergence += (1 - share) * np.log((1 - share) / (1 - rare))
    return float(np.exp(-drawn * divergence).sum())


def chernoff(count: float, mean: float) -> float:
    """A bound of the chance of a count as far from its MEAN, on the same side."""
    if not mean:
        return 0.0 if count else 1.0
    ratio = count / mean
    return math.exp(-mean * (1 - ratio + (ratio * math.log(ratio) if ratio else 0.0)))


def _coverage(states: Integers, target: Floats, drawn: int) -> tuple[float, bool]:
    """The share of expected modes that were seen, and whether it is too small to be chance.

    Modes are terminals with at least half the highest reward. What is seen of them is a sum of
    negatively associated indicators, too.
    """
    modes = np.flatnonzero(target >= target.max() / 2)
    mean = float(_seen(target[modes], drawn).sum())
    found = len(np.intersect1d(states, modes))
    return found / mean, found >= COVERED * mean or chernoff(found, mean) >= LEVEL


def _evenness(times: Integers, squares: float) -> float:
    """The sample's entropy over ln of its size, or of the target's effective size 1 / sum p^2."""
    drawn = int(times.sum())
    size = min(float(drawn), 1 / squares)
    if size < 2:  # one terminal has nearly all: there is no variety to expect
        return 1.0
    shares = times / drawn
    return -float(shares @ np.log(np.maximum(shares, TINY))) / math.log(size)
