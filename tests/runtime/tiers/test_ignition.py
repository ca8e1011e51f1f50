"""The two thresholds, against the unit's differential equation."""

import math

import pytest

from emily_runtime.tiers.ignition import Ignition
from emily_runtime.tiers.refusals import Refusal

UNIT = Ignition()


def settled(unit: Ignition, salience: float, activity: float) -> float:
    """Where dx/dt = -x + sigma(beta(w x + s - theta)) comes to rest, by small steps."""
    for _ in range(20_000):
        drive = unit.steepness * (unit.recurrence * activity + salience - unit.threshold)
        activity += 0.01 * (1 / (1 + math.exp(-drive)) - activity)
    return activity


def test_the_thresholds_have_their_closed_form() -> None:
    assert pytest.approx(0.4659, abs=5e-5) == UNIT.on
    assert pytest.approx(0.3341, abs=5e-5) == UNIT.off


def test_a_silent_unit_ignites_just_above_s_on() -> None:
    assert settled(UNIT, UNIT.on - 0.01, 0.0) == pytest.approx(0.097, abs=5e-4)
    assert settled(UNIT, UNIT.on + 0.01, 0.0) == pytest.approx(0.988, abs=5e-4)


def test_an_ignited_unit_falls_silent_just_below_s_off() -> None:
    assert settled(UNIT, UNIT.off + 0.01, 1.0) > 0.8
    assert settled(UNIT, UNIT.off - 0.01, 1.0) < 0.05


@pytest.mark.parametrize("steepness", [8.0, 12.0, 30.0])
def test_the_thresholds_of_any_unit_are_where_its_state_jumps(steepness: float) -> None:
    unit = Ignition(steepness=steepness)

    assert settled(unit, unit.on - 0.01, 0.0) < 0.5 < settled(unit, unit.on + 0.01, 0.0)
    assert settled(unit, unit.off - 0.01, 1.0) < 0.5 < settled(unit, unit.off + 0.01, 1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steepness": 4 / 0.6 - 1e-9},
        {"recurrence": 0.0},
        {"steepness": -12.0, "recurrence": -0.6},
        {"threshold": math.nan},
    ],
)
def test_a_unit_with_one_resting_state_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Refusal, match="ignition: "):
        Ignition(**wrong)
