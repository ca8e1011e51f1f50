"""What the levels set is neutral in the middle and monotone everywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.tiers.modulation import CALM, DEEPEST, Modulation, modulation


def test_levels_in_the_middle_change_nothing() -> None:
    assert modulation(np.full(5, 0.5)) == Modulation(1.0, 2, 0.5, 0.0, 1.0)


@given(st.floats(0, 1), st.floats(0, 1))
def test_each_setting_rises_with_its_transmitter(one: float, other: float) -> None:
    low, high = (modulation(np.full(5, level)) for level in sorted((one, other)))

    for name in ("precision", "horizon", "trust", "shed", "gain"):
        assert getattr(low, name) <= getattr(high, name)


def test_the_settings_stay_within_their_ranges() -> None:
    low, high = modulation(np.zeros(5)), modulation(np.ones(5))

    assert (low.horizon, high.horizon) == (1, DEEPEST)
    assert (low.trust, high.trust) == (0.0, 1.0)
    assert (low.shed, high.shed) == (0.0, 1.0)


def test_nobody_is_turned_away_while_cortisol_is_calm() -> None:
    shares = [modulation(np.full(5, level)).shed for level in (CALM - 0.01, CALM, CALM + 0.01)]

    assert shares == [0.0, 0.0, pytest.approx(0.01 / (1 - CALM))]
