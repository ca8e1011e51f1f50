"""Samples follow their distribution, and distinct ones never repeat."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.tiers.arrays import Floats, Integers
from emily_runtime.tiers.gflownet.draw import distinct, distinct_walks, independent, walk
from emily_runtime.tiers.gflownet.exact import exact, total_variation
from emily_runtime.tiers.gflownet.space import Facets, Grid
from emily_runtime.tiers.refusals import Refusal
from tests.runtime.tiers.models import by_facet, hypergrid

GRID = Grid((8, 8))
FLOW = exact(GRID, hypergrid((8, 8)))


def spread(numbers: list[int], states: int) -> Floats:
    """How often each state occurs, as a share."""
    return (np.bincount(numbers, minlength=states) / len(numbers)).astype(np.float64)


def test_walks_and_direct_draws_are_as_far_from_the_target_as_chance_wants() -> None:
    count = 20_000
    floor = 0.5 * np.sqrt(2 * FLOW.target * (1 - FLOW.target) / np.pi / count).sum()

    walked = spread(GRID.number(walk(GRID, FLOW.policy, count, 1)).tolist(), 64)
    drawn = spread(independent(FLOW.target, count, 1).tolist(), 64)

    assert total_variation(walked, FLOW.target) < 1.4 * floor
    assert total_variation(drawn, FLOW.target) < 1.4 * floor


@given(st.integers(0, 2**32))
def test_a_hundred_distinct_hypotheses_of_a_space_that_has_them(seed: int) -> None:
    flow = exact(Facets((6, 6, 6)), by_facet)

    found = distinct(flow.target, 100, seed)

    assert len(set(found.tolist())) == 100
    assert (flow.target[found] > 0).all()


def test_a_space_with_fewer_gives_all_it_has() -> None:
    found = distinct(FLOW.target, 100, 1)

    assert sorted(found.tolist()) == list(range(64))


def test_distinct_draws_have_the_probability_of_drawing_without_replacement() -> None:
    target = np.array([0.5, 0.3, 0.2, 0.0])
    runs = 20_000
    pairs = [tuple(distinct(target, 2, seed).tolist()) for seed in range(runs)]

    for one, other in permutations(range(3), 2):
        expected = target[one] * target[other] / (1 - target[one])
        assert pairs.count((one, other)) / runs == pytest.approx(expected, abs=0.012)


def test_distinct_walks_do_without_enumeration() -> None:
    space = Facets((50,) * 12)

    def evenly(coordinates: Integers) -> Floats:
        shares = space.allowed(coordinates).astype(np.float64)
        even: Floats = shares / shares.sum(axis=1, keepdims=True)
        return even

    found = distinct_walks(space, evenly, 100, 1)

    assert len({tuple(row) for row in found.tolist()}) == 100
    assert (found > 0).all()


def test_distinct_walks_give_up_where_there_is_no_more() -> None:
    space = Facets((2, 2))
    flow = exact(space, by_facet)

    assert len(distinct_walks(space, flow.policy, 100, 1)) == 4


def test_no_samples_at_all_are_refused() -> None:
    with pytest.raises(Refusal, match="at least one sample"):
        distinct_walks(GRID, FLOW.policy, 0, 1)
