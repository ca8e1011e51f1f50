"""Expected free energy: closed forms of the T-maze, the identity, the bounds, and an oracle."""

import math
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.tiers.arrays import Floats, entropy
from emily_runtime.tiers.inference.expected import decide
from emily_runtime.tiers.inference.model import Model, perceive, predict
from emily_runtime.tiers.inference.policies import every_policy, policies
from emily_runtime.tiers.refusals import Refusal, TooLarge
from tests.runtime.tiers.models import (
    CENTRE,
    CUE,
    LEFT,
    LOG_Z,
    RELIABILITY,
    RIGHT,
    outcome,
    random_model,
    t_maze,
    t_maze_parts,
)

MODEL = t_maze()
SINGLE = every_policy(4, 1)
BLUR = entropy(np.array([RELIABILITY, 1 - RELIABILITY]))


def test_the_first_step_in_the_t_maze_has_its_closed_form() -> None:
    energy = decide(MODEL, SINGLE, MODEL.prior).free_energy

    assert energy[CENTRE] == pytest.approx(LOG_Z, abs=1e-12)
    assert energy[CUE] == pytest.approx(LOG_Z - math.log(2), abs=1e-12)
    assert energy[LEFT] == pytest.approx(LOG_Z - (math.log(2) - BLUR), abs=1e-12)
    assert energy[RIGHT] == pytest.approx(energy[LEFT], abs=1e-12)


def test_once_the_cue_was_seen_one_arm_is_good_and_the_other_bad() -> None:
    at_cue = predict(MODEL, MODEL.prior, CUE)
    belief, _ = perceive(MODEL, at_cue, outcome(CUE, 0, 1))

    decision = decide(MODEL, SINGLE, belief, 16.0)

    expected = (2 * RELIABILITY - 1) * 3
    assert decision.free_energy[LEFT] == pytest.approx(LOG_Z - expected, abs=1e-12)
    assert decision.free_energy[RIGHT] == pytest.approx(LOG_Z + expected, abs=1e-12)
    assert decision.action == LEFT


# inferactively-pymdp 0.0.7.1 with NumPy 2.4.6: Agent(A, B, C, D, policy_len=2, gamma=1.0), factors
# and modalities as in t_maze(), infer_states([0, 0, 0]), infer_policies(). Its G is minus ours.
RECORDED = {
    "open": [
        (0.0227739101, 11.0717046),
        (0.0412942707, 10.47659642),
        (0.0412942707, 10.47659642),
        (0.0455478202, 10.37855742),
        (0.0412942707, 10.47659642),
        (0.0748758902, 9.88148824),
        (0.0748758902, 9.88148824),
        (0.0825885414, 9.78344924),
        (0.0412942707, 10.47659642),
        (0.0748758902, 9.88148824),
        (0.0748758902, 9.88148824),
        (0.0825885414, 9.78344924),
        (0.0455478202, 10.37855742),
        (0.0825885414, 9.78344924),
        (0.0825885414, 9.78344924),
        (0.0910956403, 9.68541024),
    ],
    "absorbing": [
        (0.0216535976, 11.0717046),
        (0.0392628898, 10.47659642),
        (0.0392628898, 10.47659642),
        (0.0433071952, 10.37855742),
        *[(0.0711925353, 9.88148824)] * 8,
        (0.0433071952, 10.37855742),
        (0.0785257796, 9.78344924),
        (0.0785257796, 9.78344924),
        (0.0866143905, 9.68541024),
    ],
}


@pytest.mark.parametrize("arms", RECORDED)
def test_policies_are_weighed_as_pymdp_weighs_them(arms: str) -> None:
    model = t_maze(arms=arms)

    decision = decide(model, every_policy(4, 2), model.prior)

    weights, energies = zip(*RECORDED[arms], strict=True)
    assert decision.posterior == pytest.approx(weights, abs=1e-6)
    assert decision.free_energy == pytest.approx(energies, abs=1e-6)


@pytest.mark.parametrize("arms", RECORDED)
def test_what_was_recorded_is_what_pymdp_says_now(arms: str) -> None:
    agents = pytest.importorskip("pymdp.agent")
    if not version("inferactively-pymdp").startswith("0.0.7"):
        pytest.skip("later releases speak JAX: row 7 of the benchmark asks them")
    parts = t_maze_parts(arms)
    moves = [np.moveaxis(one, 0, -1) for one in parts.transitions]
    tables = [boxed(each) for each in (parts.likelihoods, moves, parts.likes, parts.start)]
    agent = agents.Agent(*tables, policy_len=2, gamma=1.0)

    agent.infer_states([0, 0, 0])
    weights, energies = agent.infer_policies()

    recorded = zip(*RECORDED[arms], strict=True)
    assert [weights, -energies] == [pytest.approx(each, abs=1e-7) for each in recorded]


def boxed(tables: list[Floats]) -> Any:
    """As pymdp wants them: an array of arrays."""
    box = np.empty(len(tables), dtype=object)
    box[:] = tables
    return box


def slowly(model: Model, row: list[int]) -> tuple[float, float]:
    """G of one policy by its definition, and by -(E[ln p(o)] + mutual information)."""
    belief, direct, other = model.prior, 0.0, 0.0
    for action in row:
        belief = predict(model, belief, action)
        seen: Floats = model.likelihood @ belief
        vague = sum(belief[s] * entropy(model.likelihood[:, s]) for s in range(len(belief)))
        direct += float(seen @ (np.log(np.maximum(seen, 1e-300)) - model.log_wanted)) + vague
        other -= float(seen @ model.log_wanted) + entropy(seen) - vague
    return direct, other


@given(st.integers(0, 2**32))
def test_risk_and_ambiguity_are_value_and_information_with_the_sign_changed(seed: int) -> None:
    model, every = random_model(seed), every_policy(3, 3)

    energy = decide(model, every, model.prior).free_energy

    for place, row in enumerate(every.actions.tolist()):
        assert slowly(model, row) == pytest.approx((energy[place], energy[place]), abs=1e-12)


@given(st.integers(0, 2**32), st.floats(0, 32))
def test_free_energy_stays_within_its_bounds(seed: int, precision: float) -> None:
    model = random_model(seed)

    decision = decide(model, every_policy(3, 2), model.prior, precision)

    assert (decision.risk >= -1e-12).all()
    assert (decision.ambiguity >= 0).all()
    assert decision.free_energy.max() <= decision.worst + 1e-12
    assert 0 <= decision.efe_score <= 1
    assert decision.posterior.sum() == pytest.approx(1.0)


def test_a_selection_of_policies_is_valued_as_among_all_of_them() -> None:
    every = every_policy(4, 3)
    chosen = [63, 0, 17, 17, 40]

    energy = decide(MODEL, every, MODEL.prior).free_energy
    some = decide(MODEL, policies(every.actions[chosen].tolist()), MODEL.prior).free_energy

    assert some == pytest.approx(energy[chosen], abs=1e-12)


def test_precision_sharpens_and_none_leaves_the_habit() -> None:
    habit = np.array([0.1, 0.2, 0.3, 0.4])

    sharp, blunt = (decide(MODEL, SINGLE, MODEL.prior, g) for g in (16.0, 1.0))
    free = decide(MODEL, SINGLE, MODEL.prior, 0.0, habit)

    assert sharp.entropy < blunt.entropy
    assert free.posterior == pytest.approx(habit)


def test_a_habit_multiplies_the_posterior() -> None:
    habit = np.array([0.7, 0.1, 0.1, 0.1])

    plain, used = (decide(MODEL, SINGLE, MODEL.prior, 1.0, e) for e in (None, habit))

    expected = plain.posterior * habit
    assert used.posterior == pytest.approx(expected / expected.sum())
    assert used.action == CENTRE


def test_wanting_nothing_more_than_anything_else_scores_by_information_alone() -> None:
    blind = Model(np.ones((1, 2)), np.eye(2)[np.newaxis], np.zeros(1), np.full(2, 0.5))

    assert decide(blind, every_policy(1, 4), blind.prior).efe_score == 0.0


def test_more_than_4096_policies_are_refused_with_their_number() -> None:
    with pytest.raises(TooLarge, match="16,384 policies; exact computation takes at most 4,096"):
        every_policy(4, 7)
    with pytest.raises(TooLarge, match="4,097 policies"):
        policies([[0]] * 4097)


@pytest.mark.parametrize("rows", [[], [[]], [[0, 1], [0]], [[-1]]])
def test_policies_of_no_shape_are_refused(rows: list[list[int]]) -> None:
    with pytest.raises(Refusal):
        policies(rows)


def test_an_action_that_the_model_lacks_is_refused() -> None:
    with pytest.raises(Refusal, match="not among the model's 4"):
        decide(MODEL, policies([[4]]), MODEL.prior)


@pytest.mark.parametrize("precision", [-1.0, math.inf, math.nan])
def test_a_precision_without_sense_is_refused(precision: float) -> None:
    with pytest.raises(Refusal, match="precision"):
        decide(MODEL, SINGLE, MODEL.prior, precision)
