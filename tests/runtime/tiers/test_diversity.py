"""How many differ is known in advance; an alarm rings for a collapse and for nothing else."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.tiers.arrays import Floats, Integers
from emily_runtime.tiers.gflownet.diversity import (
    Alarm,
    diversity,
    expected_unique,
    unique_deviation,
)
from emily_runtime.tiers.gflownet.draw import independent
from emily_runtime.tiers.gflownet.exact import exact
from emily_runtime.tiers.gflownet.space import Facets, Grid
from tests.runtime.tiers.models import hypergrid


def target(shape: tuple[int, ...], floor: float = 0.1, temperature: float = 1.0) -> Floats:
    """The hypergrid's rewards as a distribution."""
    return exact(Grid(shape), hypergrid(shape, floor), temperature).target


@pytest.mark.parametrize(
    ("shape", "floor", "expected"),
    [
        ((8, 8), 0.1, 32.5),
        ((32, 32), 0.1, 85.4),
        ((64, 64), 0.1, 95.8),
        ((8,) * 4, 0.1, 96.7),
        ((8,) * 4, 0.001, 78.1),
    ],
)
def test_how_many_of_a_hundred_differ_is_known_and_so_it_is(
    shape: tuple[int, ...], floor: float, expected: float
) -> None:
    distribution = target(shape, floor)
    runs = [len(set(independent(distribution, 100, seed).tolist())) for seed in range(400)]

    assert expected_unique(distribution, 100) == pytest.approx(expected, abs=0.05)
    assert np.mean(runs) == pytest.approx(expected, abs=4 * float(np.std(runs)) / 20)
    assert np.std(runs) == pytest.approx(unique_deviation(distribution, 100), rel=0.15)


@settings(deadline=None, derandomize=True)  # chance has its rare days
@given(st.lists(st.floats(0, 1), min_size=5, max_size=20), st.integers(0, 2**32))
def test_hypotheses_are_as_diverse_as_their_reward_whatever_it_is(
    scores: list[float], seed: int
) -> None:
    space = Facets((10, 10, 10))
    weights = np.resize(scores, (3, 11))
    facets = np.arange(3)
    flow = exact(space, lambda chosen: 5 * weights[facets, chosen].sum(axis=1))

    report = diversity(independent(flow.target, 100, seed), flow.target)

    spread = 6 * unique_deviation(flow.target, 100) + 4
    assert abs(report.unique - report.expected_unique) <= spread
    assert report.alarms == ()


def test_an_even_choice_has_the_closed_form() -> None:
    even = np.full(50, 0.02)

    assert expected_unique(even, 100) == pytest.approx(50 * (1 - 0.98**100))
    assert expected_unique(np.array([1.0, 0.0]), 100) == 1.0
    assert unique_deviation(np.array([1.0, 0.0]), 100) == 0.0


@pytest.mark.parametrize("shape", [(8, 8), (32, 32), (8,) * 4])
@pytest.mark.parametrize("floor", [0.1, 0.001])
def test_a_sampler_that_is_right_raises_no_alarm_in_a_thousand_runs(
    shape: tuple[int, ...], floor: float
) -> None:
    distribution = target(shape, floor)

    for seed in range(1000):
        assert diversity(independent(distribution, 100, seed), distribution).alarms == ()


@pytest.mark.parametrize("shape", [(32, 32), (8,) * 4])
def test_a_sampler_without_temperature_raises_an_alarm(shape: tuple[int, ...]) -> None:
    distribution = target(shape)
    best = np.zeros_like(distribution)
    best[distribution.argmax()] = 1.0

    report = diversity(independent(best, 100, 1), distribution)

    assert {Alarm.COLLISIONS, Alarm.ENTROPY} <= set(report.alarms)
    assert (report.unique, report.collisions) == (1, math.comb(100, 2))


def test_a_sampler_that_sees_one_mode_of_many_raises_an_alarm_for_coverage() -> None:
    distribution = target((64, 64))

    report = diversity(np.full(100, distribution.argmax()), distribution)

    assert Alarm.COVERAGE in report.alarms
    assert report.coverage < 0.1


def test_a_sampler_with_a_tenth_of_the_variety_raises_an_alarm() -> None:
    distribution = target((8,) * 4)  # effective size 1,393
    narrow = np.zeros_like(distribution)
    narrow[:100] = 0.01

    assert diversity(independent(narrow, 100, 1), distribution).alarms == (Alarm.COLLISIONS,)


def test_a_triple_of_the_one_frequent_hypothesis_is_no_collapse() -> None:
    lumpy = np.append(0.002, np.full(200_000, 0.998 / 200_000))
    samples = np.append(np.zeros(3, dtype=np.int64), np.arange(1, 98))

    report = diversity(samples, lumpy)  # Poisson's chance of its three pairs: 2e-6

    assert report.collisions == 3
    assert report.alarms == ()


def lone(coordinates: Integers) -> Floats:
    """A reward with a single best hypothesis."""
    logs: Floats = -((coordinates - 2.0) ** 2).sum(axis=1)
    return logs


def test_a_reward_of_one_hypothesis_is_no_collapse() -> None:
    single = exact(Facets((5, 5)), lone, temperature=1e-3).target

    assert diversity(independent(single, 100, 1), single).alarms == ()


def test_samples_that_cannot_be_raise_an_alarm() -> None:
    wanted = np.full(1000, 1e-3)
    never = np.append(wanted, 0.0)

    assert Alarm.COLLISIONS in diversity(np.full(100, 1000), never).alarms


def test_a_handful_of_samples_raises_no_alarm() -> None:
    assert diversity(np.zeros(29, dtype=np.int64), np.full(1000, 1e-3)).alarms == ()
