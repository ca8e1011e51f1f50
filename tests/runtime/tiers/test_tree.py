"""A plan that looks first, and then chooses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.tiers.arrays import Floats, softmax
from emily_runtime.tiers.inference.expected import decide
from emily_runtime.tiers.inference.model import Model, perceive, predict
from emily_runtime.tiers.inference.policies import every_policy
from emily_runtime.tiers.inference.tree import plan
from emily_runtime.tiers.refusals import Refusal, TooLarge
from tests.runtime.tiers.models import CUE, LOG_Z, RELIABILITY, random_model, t_maze


def test_the_cue_first_has_its_closed_form() -> None:
    model = t_maze()
    expected = 2 * LOG_Z - np.log(2) - (2 * RELIABILITY - 1) * 3

    found = plan(model, model.prior, 2)

    assert expected == pytest.approx(7.498558, abs=1e-6)
    assert found.free_energy[CUE] == pytest.approx(expected, abs=1e-12)
    assert found.action == CUE


def test_fixed_policies_cannot_look_and_then_choose() -> None:
    model = t_maze(arms="absorbing")

    fixed = decide(model, every_policy(4, 2), model.prior).free_energy.min()
    answering = plan(model, model.prior, 2).free_energy.min()

    assert answering < fixed - 2


def slowly(model: Model, belief: Floats, depth: int, precision: float) -> Floats:
    """The definition of G, by recursion."""
    energy = decide(model, every_policy(model.actions, 1), belief).free_energy
    if depth > 1:
        for action in range(model.actions):
            moved = predict(model, belief, action)
            for seen, chance in enumerate(model.likelihood @ moved):
                if chance > 1e-12:
                    after, _ = perceive(model, moved, seen)
                    later = slowly(model, after, depth - 1, precision)
                    energy[action] += chance * float(softmax(-precision * later) @ later)
    return energy


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 20))
def test_the_tree_is_its_definition(seed: int, precision: float) -> None:
    model = random_model(seed, states=3, outcomes=2, actions=2)

    found = plan(model, model.prior, 3, precision)

    expected = slowly(model, model.prior, 3, precision)
    assert found.free_energy == pytest.approx(expected, abs=1e-10)
    assert found.posterior == pytest.approx(softmax(-precision * expected), abs=1e-9)


@given(st.integers(0, 2**32))
def test_one_step_ahead_is_the_plain_decision(seed: int) -> None:
    model = random_model(seed)

    expected = decide(model, every_policy(3, 1), model.prior, 16.0)

    assert plan(model, model.prior, 1).free_energy == pytest.approx(expected.free_energy)


def test_a_tree_too_wide_is_refused() -> None:
    model = random_model(1, states=20, outcomes=20, actions=10)

    with pytest.raises(TooLarge, match="probabilities in one level of the tree"):
        plan(model, model.prior, 5)


@pytest.mark.parametrize(("depth", "precision"), [(0, 1.0), (1, -1.0), (1, float("inf"))])
def test_a_plan_of_no_steps_or_no_precision_is_refused(depth: int, precision: float) -> None:
    model = t_maze()

    with pytest.raises(Refusal, match="a plan needs"):
        plan(model, model.prior, depth, precision)
