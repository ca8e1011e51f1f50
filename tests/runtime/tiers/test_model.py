"""The joint model and exact Bayes on it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.tiers.inference.model import Model, joint, perceive, predict
from emily_runtime.tiers.refusals import Impossible, Refusal, TooLarge
from tests.runtime.tiers.models import CENTRE, CUE, LEFT, LOG_Z, outcome, random_model, t_maze


@given(st.integers(0, 2**32), st.integers(0, 3))
def test_perception_is_bayes_rule(seed: int, seen: int) -> None:
    model = random_model(seed)
    evidence = sum(model.likelihood[seen, s] * model.prior[s] for s in range(5))

    belief, surprise = perceive(model, model.prior, seen)

    for state in range(5):
        share = model.likelihood[seen, state] * model.prior[state] / evidence
        assert belief[state] == pytest.approx(share, abs=1e-12)
    assert surprise == pytest.approx(-math.log(evidence))


@given(st.integers(0, 2**32))
def test_all_that_may_be_seen_averages_to_the_belief(seed: int) -> None:
    model = random_model(seed)
    total = np.zeros(5)
    for seen in range(4):
        belief, surprise = perceive(model, model.prior, seen)
        total += math.exp(-surprise) * belief

    assert total == pytest.approx(model.prior)


def test_the_cue_tells_where_the_reward_is() -> None:
    model = t_maze()
    at_cue = predict(model, model.prior, CUE)

    belief, surprise = perceive(model, at_cue, outcome(CUE, 0, 1))

    assert belief.reshape(4, 2)[CUE].tolist() == [1.0, 0.0]
    assert surprise == pytest.approx(math.log(2))


def test_what_the_belief_rules_out_is_impossible() -> None:
    model = t_maze()

    with pytest.raises(Impossible, match="outcome 9 has probability 0") as caught:
        perceive(model, model.prior, outcome(LEFT, 0, 0))
    assert caught.value.outcome == 9


def test_modalities_and_factors_join_in_order_of_their_numbers() -> None:
    model = t_maze()

    assert model.likelihood.shape == (36, 8)
    win_left = model.likelihood[outcome(LEFT, 1, 0)].tolist()
    assert win_left == pytest.approx([0, 0, 0.98, 0.02, 0, 0, 0, 0])
    assert model.transition.shape == (4, 8, 8)
    assert predict(model, model.prior, LEFT).tolist() == [0, 0, 0.5, 0.5, 0, 0, 0, 0]
    assert model.prior.reshape(4, 2)[CENTRE].tolist() == [0.5, 0.5]


def test_preferences_become_a_distribution_over_joint_outcomes() -> None:
    model = t_maze()

    assert np.exp(model.log_wanted).sum() == pytest.approx(1.0)
    assert -model.log_wanted[outcome(CENTRE, 0, 0)] == pytest.approx(LOG_Z)
    assert model.worst == pytest.approx(LOG_Z + 3)


def test_a_constant_added_to_preferences_changes_nothing() -> None:
    one = t_maze()
    other = Model(one.likelihood, one.transition, one.preference + 700, one.prior)

    assert other.log_wanted == pytest.approx(one.log_wanted)


@pytest.mark.parametrize("nats", [1e6, -1e6])
def test_a_preference_beyond_arithmetic_is_refused(nats: float) -> None:
    one = t_maze()
    wish = np.where(np.arange(len(one.preference)) == 0, nats, 0.0)

    assert np.isfinite(Model(one.likelihood, one.transition, wish, one.prior).log_wanted).all()
    with pytest.raises(Refusal, match="C must stay within 1,000,000 nats of 0"):
        Model(one.likelihood, one.transition, 1.1 * wish, one.prior)


def test_more_than_4096_joint_states_are_refused_with_their_number() -> None:
    halves = [np.full(2, 0.5)] * 13
    stay = [np.eye(2)[np.newaxis]] * 13

    with pytest.raises(TooLarge, match="8,192 joint states; exact computation takes at most 4,096"):
        joint([np.ones((1, *[2] * 13))], stay, [np.zeros(1)], halves)


def test_tables_beyond_memory_are_refused() -> None:
    many = np.full(4096, 1 / 4096)
    stay = np.broadcast_to(np.eye(4096), (3, 4096, 4096))

    with pytest.raises(TooLarge, match="50,331,648 transition probabilities"):
        joint([np.ones((1, 4096))], [stay], [np.zeros(1)], [many])


@pytest.mark.parametrize("table", ["likelihood", "transition", "prior"])
def test_what_is_no_distribution_is_refused_by_its_letter(table: str) -> None:
    model = random_model(1)
    tables = {name: getattr(model, name) for name in ("likelihood", "transition", "prior")}
    tables[table] = tables[table] * 1.001

    letter = {"likelihood": "A", "transition": "B", "prior": "D"}[table]
    with pytest.raises(Refusal, match=f"{letter} is no distribution"):
        Model(preference=model.preference, **tables)


def test_a_table_of_another_shape_is_refused() -> None:
    model = random_model(1)

    with pytest.raises(Refusal, match=r"A has shape \(5, 4\), not \(4, 5\)"):
        Model(model.likelihood.T, model.transition, model.preference, model.prior)
