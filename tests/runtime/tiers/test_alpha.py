"""The rhythm's invariants: order, bounds, symmetry, period, reset."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.tiers.alpha import Alpha, Rhythm, gain, gate, phase, reset
from emily_runtime.tiers.refusals import Refusal

ALPHA = Alpha()
signals = st.lists(st.floats(-1e6, 1e6), max_size=20)
phases = st.floats(0, 2 * math.pi)
powers = st.floats(0, 1)


@settings(max_examples=500)
@given(st.lists(st.floats(0, 100), max_size=10), phases)
def test_signals_come_out_in_firing_order_so_that_magnitudes_never_rise(
    given_signals: list[float], at: float
) -> None:
    outputs = [abs(one.output) for one in gate(ALPHA, given_signals, at)]

    assert outputs == sorted(outputs, reverse=True)
    assert len(outputs) == len(given_signals)


@given(signals, phases, powers)
def test_a_gate_only_weakens_and_keeps_the_sign(
    given_signals: list[float], at: float, power: float
) -> None:
    for one in gate(Alpha(power=power), given_signals, at):
        before = given_signals[one.place]
        assert abs(one.output) <= abs(before)
        assert one.output * before >= 0


@given(signals, phases, st.randoms(use_true_random=False))
def test_the_order_of_the_input_matters_only_to_ties(
    given_signals: list[float], at: float, shuffle: object
) -> None:
    order = list(range(len(given_signals)))
    shuffle.shuffle(order)  # type: ignore[attr-defined]
    shuffled = gate(ALPHA, [given_signals[place] for place in order], at)
    straight = gate(ALPHA, given_signals, at)

    assert sorted(one.output for one in shuffled) == sorted(one.output for one in straight)
    assert {(order[one.place], one.output, one.delay) for one in shuffled} == set(straight)


def test_ties_fire_by_their_place() -> None:
    assert [one.place for one in gate(ALPHA, [1.0, -2.0, 2.0, 1.0], 0.0)] == [1, 2, 0, 3]


@given(st.lists(st.integers(-1000, 1000)), phases)
def test_twice_the_signal_is_twice_the_output_at_the_same_time(
    given_signals: list[int], at: float
) -> None:
    once = gate(ALPHA, given_signals, at)
    twice = gate(ALPHA, [2 * signal for signal in given_signals], at)

    assert [(one.place, 2 * one.output, one.delay) for one in once] == list(twice)


@given(signals, phases, powers, powers)
def test_the_total_never_rises_with_alpha_power(
    given_signals: list[float], at: float, one: float, other: float
) -> None:
    low, high = sorted((one, other))

    def total(power: float) -> float:
        return sum(abs(fired.output) for fired in gate(Alpha(power=power), given_signals, at))

    assert total(high) <= total(low)


@given(powers, phases)
def test_the_gain_stays_between_one_minus_a_and_one(power: float, at: float) -> None:
    assert 1 - power <= gain(Alpha(power=power), at) <= 1


def test_without_alpha_everything_passes_at_once() -> None:
    assert [(one.output, one.delay) for one in gate(Alpha(power=0), [3.0, 0.0], 0.4)] == [
        (3.0, 0.0),
        (0.0, 0.0),
    ]


@given(powers)
def test_the_mean_gain_of_a_cycle_is_one_minus_half_of_a(power: float) -> None:
    steps = 64
    gains = [gain(Alpha(power=power), 2 * math.pi * step / steps) for step in range(steps)]

    assert sum(gains) / steps == pytest.approx(1 - power / 2, abs=1e-12)


def test_some_phase_lets_everything_pass() -> None:
    assert gain(Alpha(power=1.0), math.pi) == 1.0
    assert gain(Alpha(power=1.0), 0.0) == 0.0


@given(st.floats(0, 1e6), st.integers(0, 100))
def test_the_rhythm_repeats_after_a_cycle(time: float, cycles: int) -> None:
    now, later = (gain(ALPHA, phase(ALPHA, Rhythm(), at)) for at in (time, time + cycles / 8))

    assert later == pytest.approx(now, abs=1e-6)


def test_a_signal_fires_when_the_inhibition_has_fallen_to_its_drive() -> None:
    fired = gate(ALPHA, [1.0, 0.4, 0.1, 0.0], 0.0)
    delays = [one.delay for one in fired]

    assert delays == sorted(delays)
    assert delays[0] == 0.0
    assert delays[-1] == pytest.approx(0.0625)  # half a cycle of 8 Hz
    for one in fired[1:]:
        inhibition = 1 - gain(ALPHA, phase(ALPHA, Rhythm(), one.delay))
        assert inhibition == pytest.approx([1.0, 0.4, 0.1, 0.0][one.place])


@pytest.mark.parametrize(("gamma", "capacity"), [(40.0, 5), (56.0, 7), (63.9, 7), (72.0, 9)])
def test_the_capacity_is_the_gamma_cycles_within_an_alpha_cycle(
    gamma: float, capacity: int
) -> None:
    assert Alpha(gamma_frequency=gamma).capacity == capacity


@given(st.floats(0, 1e5), st.floats(0.81, 10))
def test_a_salient_stimulus_makes_the_rhythm_excitable_in_the_same_tick(
    time: float, intensity: float
) -> None:
    after = reset(ALPHA, Rhythm(), time, intensity)

    assert gain(ALPHA, phase(ALPHA, after, time)) == pytest.approx(1.0, abs=1e-9)


def test_the_phase_is_reset_at_most_once_in_a_cycle() -> None:
    first = reset(ALPHA, Rhythm(), 1.0, 1.0)

    assert reset(ALPHA, first, 1.12, 1.0) == first
    assert reset(ALPHA, first, 1.125, 1.0).reset_at == 1.125


def test_a_weak_stimulus_leaves_the_phase_alone() -> None:
    assert reset(ALPHA, Rhythm(), 1.0, 0.8) == Rhythm()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_signal_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(Refusal, match="not finite"):
        gate(ALPHA, [1.0, bad], 0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"frequency": 0.0},
        {"frequency": 57.0},
        {"gamma_frequency": math.inf},
        {"power": 1.1},
        {"power": math.nan},
        {"reset_threshold": 0.0},
    ],
)
def test_parameters_that_leave_no_rhythm_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Refusal, match="alpha: "):
        Alpha(**wrong)
