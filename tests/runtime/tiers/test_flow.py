"""Exact flows: they conserve, and what follows them ends in proportion to the reward."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.tiers.arrays import Floats, Integers
from emily_runtime.tiers.gflownet.exact import exact, terminals, total_variation
from emily_runtime.tiers.gflownet.space import Facets, Grid, Reward, Space, parents
from emily_runtime.tiers.refusals import Refusal, TooLarge
from tests.runtime.tiers.models import by_facet, hypergrid

spaces = st.one_of(
    st.lists(st.integers(1, 4), min_size=1, max_size=4).map(Facets),
    st.lists(st.integers(2, 5), min_size=1, max_size=4).map(Grid),
)


def random_reward(seed: int) -> Reward:
    """Rewards over five orders of magnitude."""

    def log_reward(coordinates: Integers) -> Floats:
        return np.random.default_rng(seed).uniform(-6, 6, len(coordinates))

    return log_reward


@given(spaces)
def test_where_one_may_stop_is_what_the_actions_say(space: Space) -> None:
    grid = space.everything()

    assert (space.ends(grid) == space.allowed(grid)[:, -1]).all()


@settings(max_examples=60, deadline=None)
@given(spaces, st.integers(0, 2**32))
def test_walks_along_the_flow_end_in_proportion_to_the_reward(space: Space, seed: int) -> None:
    flow = exact(space, random_reward(seed))

    assert total_variation(terminals(space, flow.policy), flow.target) <= 1e-12
    assert flow.target.sum() == pytest.approx(1.0)


@settings(max_examples=60, deadline=None)
@given(spaces, st.integers(0, 2**32))
def test_the_flow_into_a_state_is_its_reward_and_what_flows_on(space: Space, seed: int) -> None:
    flow = exact(space, random_reward(seed))
    grid = space.everything()
    onward = flow.flow[0] * flow.target
    for state, coordinates in enumerate(grid):
        open_to = np.flatnonzero(space.allowed(coordinates[np.newaxis])[0, :-1])
        if open_to.size:
            children = space.moved(np.repeat(coordinates[np.newaxis], open_to.size, 0), open_to)
            onward[state] += (flow.flow[space.number(children)] / parents(children)).sum()

    assert flow.flow == pytest.approx(onward, rel=1e-10)


@settings(max_examples=30, deadline=None)
@given(spaces, st.integers(0, 2**32))
def test_trajectory_balance_holds_on_every_walk(space: Space, seed: int) -> None:
    reward = random_reward(seed)
    flow = exact(space, reward)
    ends = np.flatnonzero(flow.target)
    rewards = dict(zip(ends.tolist(), reward(space.everything()[ends]).tolist(), strict=True))
    random = np.random.default_rng(seed)
    place, balance = np.zeros((1, len(space.shape)), dtype=np.int64), flow.log_z
    while True:
        shares = flow.policy(place)[0]
        action = random.choice(len(shares), p=shares)
        balance += math.log(shares[action])
        if action == space.actions:
            break
        place = space.moved(place, np.array([action]))
        balance += math.log(parents(place)[0])

    assert balance == pytest.approx(rewards[int(space.number(place)[0])], abs=1e-9)


def test_the_total_of_all_rewards_is_found() -> None:
    grid = Grid((8, 8))
    logs = hypergrid((8, 8))(grid.everything())

    assert exact(grid, hypergrid((8, 8))).log_z == pytest.approx(math.log(np.exp(logs).sum()))


def test_the_largest_hypergrid_of_the_benchmark_is_exact() -> None:
    grid = Grid((20,) * 4)

    flow = exact(grid, hypergrid(grid.shape))

    assert flow.flow[0] == pytest.approx(flow.flow[0] * flow.target.sum(), rel=1e-12)
    assert total_variation(terminals(grid, flow.policy), flow.target) <= 1e-12


def test_a_low_temperature_leaves_only_the_best() -> None:
    space = Facets((3, 4, 5))

    flow = exact(space, by_facet, temperature=1e-3)

    best = by_facet(space.everything()[flow.target > 1e-9])
    assert best == pytest.approx(best.max())
    assert total_variation(terminals(space, flow.policy), flow.target) <= 1e-12


def test_rewards_beyond_floating_point_are_no_matter() -> None:
    space = Facets((3, 4))
    plain = exact(space, by_facet)

    moved = exact(space, lambda coordinates: by_facet(coordinates) + 5000.0)

    assert moved.target == pytest.approx(plain.target)
    assert moved.log_z == pytest.approx(plain.log_z + 5000.0)


def test_too_many_states_are_refused_with_their_number() -> None:
    with pytest.raises(TooLarge, match="1,048,576 states; exact computation takes at most 262,144"):
        exact(Grid((32,) * 4), hypergrid((32,) * 4))


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_must_be_above_zero(temperature: float) -> None:
    with pytest.raises(Refusal, match="temperature"):
        exact(Facets((2,)), by_facet, temperature)


def test_a_reward_of_nothing_is_refused() -> None:
    with pytest.raises(Refusal, match="a reward must be a finite logarithm"):
        exact(Facets((2,)), lambda coordinates: np.full(len(coordinates), -np.inf))


@pytest.mark.parametrize("shape", [(), (1, 4)])
def test_a_space_without_a_choice_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(Refusal, match="a space needs"):
        Grid(shape)
