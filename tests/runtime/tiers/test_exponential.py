"""The matrix exponential, against what is known of it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.tiers.exponential import exponential


def test_zero_gives_the_identity() -> None:
    assert exponential(np.zeros((3, 3))).tolist() == np.eye(3).tolist()


@given(st.floats(-20, 20), st.floats(-20, 20))
def test_a_diagonal_matrix_is_taken_one_by_one(one: float, other: float) -> None:
    result = exponential(np.diag([one, other]))

    assert np.diag(result) == pytest.approx([math.exp(one), math.exp(other)], rel=1e-11)


def test_a_nilpotent_matrix_has_a_series_that_ends() -> None:
    ladder = np.diag([2.0, 3.0], k=1)

    assert exponential(ladder) == pytest.approx(np.eye(3) + ladder + ladder @ ladder / 2, abs=1e-14)


@given(st.floats(-100, 100))
def test_a_turn_turns(angle: float) -> None:
    turned = exponential(np.array([[0.0, -angle], [angle, 0.0]]))

    assert turned[:, 0] == pytest.approx([math.cos(angle), math.sin(angle)], abs=1e-11)


@given(st.integers(0, 2**32))
def test_its_inverse_is_that_of_the_negative(seed: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=(4, 4))

    assert exponential(matrix) @ exponential(-matrix) == pytest.approx(np.eye(4), abs=1e-9)


def test_widely_different_rates_keep_their_digits() -> None:
    stiff = np.array([[-1000.0, 1.0], [0.0, -0.001]])

    result = exponential(stiff)

    assert result[1, 1] == pytest.approx(math.exp(-0.001), rel=1e-13)
    assert result[0, 1] == pytest.approx(math.exp(-0.001) / 999.999, rel=1e-12)
