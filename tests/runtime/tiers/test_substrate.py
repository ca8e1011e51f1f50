"""The opponent process: its closed forms, its exact step, and what is refused as unstable."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.tiers.arrays import Floats
from emily_runtime.tiers.refusals import Refusal, Unstable
from emily_runtime.tiers.substrate import (
    TRANSMITTERS,
    Five,
    Levels,
    Substrate,
    adjust,
    advance,
    at_rest,
    drive,
    step,
)

K, BETA, GAMMA, DRIVE, PULSE = 0.5, 0.05, 0.6, 0.25, 20.0
"""The pulse of research on this process: 0.25 per second for 20 s."""
COUPLED = Substrate(
    rate=(0.5, 0.4, 0.3, 0.6, 0.8),
    opponent_rate=(0.05, 0.04, 0.03, 0.05, 0.06),
    opposition=(0.6, 0.5, 0.4, 0.8, 1.0),
    coupling=(
        (0.0, 0.0, 0.0, -0.1, 0.0),
        (0.05, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, -0.12, 0.0),
        (0.0, 0.0, 0.0, 0.0, 0.2),
        (0.0, 0.0, 0.0, 0.15, 0.0),
    ),
)
U = np.array([0.25, -0.1, 0.05, 0.3, 0.1])


def coupling(**effects: float) -> tuple[Five, ...]:
    """W with single entries: cortisol_by_dopamine=1 is dopamine driving cortisol."""
    table = np.zeros((5, 5))
    for effect, strength in effects.items():
        target, source = effect.split("_by_")
        table[TRANSMITTERS.index(target), TRANSMITTERS.index(source)] = strength
    return tuple(map(tuple, table.tolist()))  # type: ignore[arg-type]


def course(seconds: float, substrate: Substrate | None = None) -> Floats:
    """Dopamine's deviation at each tenth of a second, under a pulse and after it."""
    by = step(substrate or Substrate(), 0.1)
    levels, deviations = at_rest(), [0.0]
    for tick in range(round(seconds / 0.1)):
        on = tick < round(PULSE / 0.1)
        levels = advance(by, levels, np.full(5, DRIVE if on else 0.0))
        deviations.append(levels.deviation[0])
    return np.array(deviations)


def test_a_pulse_peaks_adapts_undershoots_and_returns() -> None:
    deviations = course(400.0)
    end = round(PULSE / 0.1)

    assert deviations.max() == pytest.approx(0.442, abs=5e-4)
    assert deviations[end] == pytest.approx(0.362, abs=5e-4)
    assert deviations[end:].min() == pytest.approx(-0.102, abs=5e-4)
    assert deviations[-1] == pytest.approx(0.0, abs=1e-6)


def test_the_response_to_a_step_has_its_closed_form() -> None:
    root = math.sqrt((K - BETA) ** 2 - 4 * K * BETA * GAMMA)
    fast, slow = (-(K + BETA) - root) / 2, (-(K + BETA) + root) / 2
    at = 7.3
    expected = 1 / (K * (1 + GAMMA))
    for one, other in ((fast, slow), (slow, fast)):
        expected += (one + BETA) / (one * (one - other)) * math.exp(one * at)

    levels = advance(step(Substrate(), at), at_rest(), np.full(5, DRIVE))

    assert levels.deviation == pytest.approx(np.full(5, DRIVE * expected), abs=1e-13)


def test_a_constant_drive_settles_at_u_over_k_times_one_plus_gamma() -> None:
    levels = advance(step(Substrate(), 2000.0), at_rest(), np.full(5, DRIVE))

    assert levels.deviation == pytest.approx(np.full(5, DRIVE / (K * (1 + GAMMA))), abs=1e-12)


@pytest.mark.parametrize("ratio", [1e-2, 1e-4])
def test_adapted_over_peak_tends_to_one_over_one_plus_gamma(ratio: float) -> None:
    beta = K * ratio
    substrate = Substrate(opponent_rate=(beta,) * 5, setpoint_rate=beta / 10)
    peak = max(
        advance(step(substrate, at), at_rest(), U).deviation[0] for at in np.linspace(0, 60, 200)
    )
    adapted = U[0] / (K * (1 + GAMMA))

    assert adapted / peak == pytest.approx(1 / (1 + GAMMA), rel=6 * ratio)


def test_without_opposition_nothing_undershoots() -> None:
    assert course(200.0, Substrate(opposition=(0.0,) * 5)).min() >= 0
    assert course(200.0, Substrate(opposition=(0.01,) * 5)).min() < 0


@given(st.floats(0.01, 10), st.floats(0.001, 0.99), st.floats(0, 20))
def test_alone_a_transmitter_always_comes_to_rest(k: float, ratio: float, gamma: float) -> None:
    beta = k * ratio
    substrate = Substrate((k,) * 5, (beta,) * 5, (gamma,) * 5, setpoint_rate=beta / 10)
    values = np.linalg.eigvals(substrate.system)

    assert values.real.max() < 0
    if abs(margin := (k - beta) ** 2 - 4 * k * beta * gamma) > 1e-6 * k**2:
        turns = np.abs(values.imag).max() > 1e-5 * k  # where it does, by sqrt(-margin) / 2
        assert bool(turns) == (margin < 0)


def test_one_second_is_eight_ticks_exactly() -> None:
    whole = advance(step(COUPLED, 1.0), at_rest(), U)
    levels, tick = at_rest(), step(COUPLED, 0.125)
    for _ in range(8):
        levels = advance(tick, levels, U)

    assert levels.process == pytest.approx(whole.process, abs=1e-14, rel=1e-12)


# scipy 1.17.1: solve_ivp(f, (0, 7.3), zeros(10), "DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
RECORDED = (
    0.3562991019232945,
    -0.18450035194060832,
    -0.012275424882899672,
    0.47595635427232835,
    0.17022821665933696,
    0.09347253520134925,
    -0.03680119076663982,
    0.002407879409898847,
    0.12442752784765343,
    0.05352258642748876,
)


def test_the_step_agrees_with_an_integrator() -> None:
    levels = advance(step(COUPLED, 7.3), at_rest(), U)

    assert levels.process == pytest.approx(RECORDED, abs=1e-10)


def test_what_was_recorded_is_what_scipy_says_now() -> None:
    integrate = pytest.importorskip("scipy.integrate")
    drive = np.concatenate([U, np.zeros(5)])

    said = integrate.solve_ivp(
        lambda _, z: COUPLED.system @ z + drive,
        (0, 7.3),
        np.zeros(10),
        "DOP853",
        rtol=1e-12,
        atol=1e-14,
    )

    assert said.y[:, -1] == pytest.approx(RECORDED, abs=1e-10)


def test_no_time_changes_nothing() -> None:
    levels = advance(step(COUPLED, 3.0), at_rest(), U)

    assert advance(step(COUPLED, 0.0), levels, U).process.tolist() == levels.process.tolist()


def test_a_transmitter_that_feeds_itself_is_named_with_its_eigenvalue() -> None:
    with pytest.raises(Unstable) as caught:
        Substrate(coupling=coupling(cortisol_by_cortisol=0.9, dopamine_by_cortisol=0.3))

    assert caught.value.transmitters == ("cortisol",)
    # Of [[0.9 - 0.5, -0.5 * 0.6], [0.05, -0.05]].
    assert caught.value.eigenvalue.real == pytest.approx((0.35 + math.sqrt(0.1425)) / 2)
    assert "eigenvalue 0.3637" in str(caught.value)


def test_a_circle_is_named_and_what_it_only_drives_is_not() -> None:
    circle = coupling(
        cortisol_by_norepinephrine=1.0,
        norepinephrine_by_cortisol=1.0,
        serotonin_by_cortisol=-0.5,
    )

    with pytest.raises(Unstable) as caught:
        Substrate(coupling=circle)

    assert caught.value.transmitters == ("cortisol", "norepinephrine")
    assert "cortisol and norepinephrine" in str(caught.value)


def test_two_that_are_equally_unstable_are_both_named() -> None:
    with pytest.raises(Unstable) as caught:
        Substrate(coupling=coupling(dopamine_by_dopamine=0.9, oxytocin_by_oxytocin=0.9))

    assert caught.value.transmitters == ("dopamine", "oxytocin")


def test_what_never_decays_is_unstable() -> None:
    balanced = K * (1 + GAMMA)  # the opponent, too, has to be outweighed

    Substrate(opponent_rate=(0.49,) * 5, coupling=coupling(dopamine_by_dopamine=balanced - 1e-3))
    with pytest.raises(Unstable):
        Substrate(opponent_rate=(0.49,) * 5, coupling=coupling(dopamine_by_dopamine=balanced))


@given(st.lists(st.floats(-1, 1), min_size=25, max_size=25))
def test_any_coupling_is_either_stable_or_refused(strengths: list[float]) -> None:
    weights = np.array(strengths).reshape(5, 5)
    system = np.zeros((10, 10)) + Substrate().system
    system[:5, :5] += weights
    worst = np.linalg.eigvals(system).real.max()
    rows = tuple(map(tuple, weights.tolist()))

    if worst < -1e-6:
        Substrate(coupling=rows)
    elif worst > 1e-6:
        with pytest.raises(Unstable) as caught:
            Substrate(coupling=rows)
        assert caught.value.eigenvalue.real == pytest.approx(worst, abs=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": (0.5,) * 4},
        {"rate": (0.0,) * 5},
        {"opponent_rate": (0.5,) * 5},
        {"opposition": (-0.1,) * 5},
        {"opposition": (math.nan,) * 5},
        {"setpoint_rate": 0.0051},
        {"lowest": 0.9},
    ],
)
def test_parameters_without_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Refusal, match="substrate: "):
        replace(Substrate(), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [-1.0, math.inf, math.nan])
def test_time_only_goes_on(seconds: float) -> None:
    with pytest.raises(Refusal, match="a step of"):
        step(Substrate(), seconds)


def test_levels_are_clipped_for_display_only() -> None:
    levels = Levels(np.array([0.7, -0.7, 0, 0, 0, 0, 0, 0, 0, 0]), np.full(5, 0.5))

    assert levels.shown.tolist() == [1.0, 0.0, 0.5, 0.5, 0.5]
    assert levels.deviation.tolist() == [0.7, -0.7, 0.0, 0.0, 0.0]


def test_a_lasting_demand_is_met_in_part() -> None:
    levels, by = at_rest(), step(Substrate(), 1.0)
    for _ in range(1000):
        levels = advance(by, levels, drive(Substrate(), levels, np.full(5, 0.9)))

    assert levels.shown == pytest.approx(np.full(5, 0.5 + 0.4 / (1 + GAMMA)))


@given(st.lists(st.floats(-2, 2), min_size=5, max_size=5), st.floats(0, 1e6))
def test_set_points_move_toward_the_prediction_and_stay_within_bounds(
    wanted: list[float], seconds: float
) -> None:
    substrate = Substrate()
    before = at_rest(0.3)

    after = adjust(substrate, step(substrate, seconds), before, np.array(wanted)).setpoint

    goal = np.clip(wanted, substrate.lowest, substrate.highest)
    assert (after >= substrate.lowest - 1e-15).all()
    assert (after <= substrate.highest + 1e-15).all()
    left = np.exp(-substrate.setpoint_rate * seconds)
    assert after == pytest.approx(goal + left * (0.3 - goal), abs=1e-12)
