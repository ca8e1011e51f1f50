"""Counting what happens brings A and B to what is true."""

import numpy as np
import pytest

from emily_runtime.tiers.inference.learning import counts, done, learned, seen
from emily_runtime.tiers.inference.model import Model
from emily_runtime.tiers.refusals import Refusal

CHAIN = np.array([[0.9, 0.3], [0.1, 0.7]])
"""p(next | now), the next state first."""
SHOWN = np.array([[0.8, 0.2], [0.2, 0.8]])
"""p(outcome | state)"""
START = Model(np.full((2, 2), 0.5), np.full((1, 2, 2), 0.5), np.zeros(2), np.full(2, 0.5))
SURE = np.eye(2)


def test_counts_are_added_where_belief_was() -> None:
    by = counts(START, 2.0)
    belief = np.array([0.25, 0.75])

    after = done(seen(by, 1, belief), 0, belief, SURE[0])

    assert after.likelihood.tolist() == [[1.0, 1.0], [1.25, 1.75]]
    assert after.transition.tolist() == [[[1.25, 1.75], [1.0, 1.0]]]
    assert by.likelihood.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_a_known_chain_is_learned() -> None:
    random = np.random.default_rng(1)
    by, state = counts(START, 1.0), 0
    for _ in range(20_000):
        after = int(random.random() < CHAIN[1, state])
        by = done(by, 0, SURE[state], SURE[after])
        by = seen(by, int(random.random() < SHOWN[1, after]), SURE[after])
        state = after

    model = learned(START, by)

    assert model.transition[0] == pytest.approx(CHAIN, abs=0.015)
    assert model.likelihood == pytest.approx(SHOWN, abs=0.015)


def test_the_expectation_after_n_certain_steps_is_known() -> None:
    by = counts(START, 2.0)
    for _ in range(8):
        by = done(by, 0, SURE[0], SURE[1])

    assert learned(START, by).transition[0, :, 0].tolist() == [1 / 10, 9 / 10]


def test_to_have_no_confidence_at_all_is_refused() -> None:
    with pytest.raises(Refusal, match="confidence 0"):
        counts(START, 0)
