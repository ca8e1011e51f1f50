"""A change of level is told soon, and a level that stays is left alone."""

import random
from statistics import median

import pytest

from emily_runtime.tiers.change import ANEW, Change, watched
from emily_runtime.tiers.refusals import Refusal

# river 0.26.1: PageHinkley(delta=0.5, threshold=15, min_instances=30, alpha=1.0, mode="both")
RECORDED = [522, 1006, 1514, 2009, 2505]


def drawn(seed: int, *levels: float, each: int = 500) -> list[float]:
    """Normal values around each of LEVELS in turn."""
    chance = random.Random(seed)
    return [chance.gauss(level, 1.0) for level in levels for _ in range(each)]


def told(values: list[float], by: Change | None = None) -> list[int]:
    """Where a change was told."""
    level, places = ANEW, []
    for place, value in enumerate(values):
        level, is_change = watched(by or Change(), level, value)
        if is_change:
            places.append(place)
    return places


def test_a_change_is_told_where_river_tells_it() -> None:
    assert told(drawn(1, 0.0, 1.5, -1.0, 0.5, 3.0, 0.0)) == RECORDED


def test_a_shift_of_one_and_a_half_deviations_is_told_after_some_fifteen_values() -> None:
    delays = [told(drawn(seed, 0.0, 1.5))[0] - 500 for seed in range(41)]

    assert min(delays) > 0
    assert 12 <= median(delays) <= 20


def test_a_level_that_stays_is_no_change_in_thirty_thousand_values() -> None:
    assert told(drawn(2, 0.0, each=30_000)) == []


def test_both_ways_are_alike() -> None:
    values = drawn(3, 0.0, 2.0, -1.0)

    assert told([-value for value in values]) == told(values)


def test_a_step_without_noise_is_told_when_the_formula_says() -> None:
    by = Change(slack=0.5, threshold=3.0, memory=1.0, patience=1)

    # after n values of 1 behind 100 of 0 the mean is n / (100 + n)
    grown, number = 0.0, 0
    while grown <= by.threshold:
        number += 1
        grown += 1 - number / (100 + number) - by.slack
    assert told([0.0] * 100 + [1.0] * 20, by)[0] == 99 + number


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(Refusal, match="finite"):
        watched(Change(), ANEW, float("nan"))
    with pytest.raises(Refusal, match="threshold"):
        Change(threshold=0.0)
