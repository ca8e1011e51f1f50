"""What keeps failing is left alone, and tried once after a rest."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.breaker import Breaker, Resting, State
from emily_runtime.nerves.clock import VirtualClock


def state(breaker: Breaker) -> State:
    return breaker.state


def fail(breaker: Breaker, error: BaseException | None = None) -> None:
    with pytest.raises((OSError, ValueError, asyncio.CancelledError)), breaker.guard():
        raise error or OSError("down")


def opened(clock: VirtualClock, failures: int = 2) -> Breaker:
    breaker = Breaker("model", failures, 10.0, clock, (OSError,))
    for _ in range(failures):
        fail(breaker)
    return breaker


def test_it_opens_with_the_last_of_the_failures_in_a_row() -> None:
    breaker = Breaker("model", 3, 10.0, VirtualClock())

    fail(breaker)
    fail(breaker)
    with breaker.guard():
        pass
    fail(breaker)
    fail(breaker)

    assert state(breaker) is State.CLOSED
    fail(breaker)
    assert (breaker.state, breaker.trips) == (State.OPEN, 1)


def test_while_open_nothing_is_called_and_the_rest_is_told() -> None:
    clock = VirtualClock()
    breaker = opened(clock)
    clock.advance(4)

    with pytest.raises(Resting) as refused:
        asyncio.run(breaker.call(never))

    assert refused.value.seconds == 6.0
    assert "model" in refused.value.told("en")


async def never() -> None:
    raise AssertionError("called")


def test_after_the_rest_one_trial_goes_through_and_a_second_does_not() -> None:
    clock = VirtualClock()
    breaker = opened(clock)
    clock.advance(10)

    assert state(breaker) is State.HALF_OPEN
    with breaker.guard():
        assert state(breaker) is State.HALF_OPEN
        with pytest.raises(Resting), breaker.guard():
            pass
    assert state(breaker) is State.CLOSED


def test_a_trial_that_fails_means_another_whole_rest() -> None:
    clock = VirtualClock()
    breaker = opened(clock)
    clock.advance(10)

    fail(breaker)
    clock.advance(9.999)

    assert (breaker.state, breaker.trips) == (State.OPEN, 2)
    clock.advance(0.001)
    assert state(breaker) is State.HALF_OPEN


@pytest.mark.parametrize("error", [asyncio.CancelledError(), ValueError("not its fault")])
def test_a_trial_without_a_verdict_makes_room_for_the_next(error: BaseException) -> None:
    clock = VirtualClock()
    breaker = opened(clock)
    clock.advance(10)

    fail(breaker, error)

    assert state(breaker) is State.HALF_OPEN
    with breaker.guard():
        pass
    assert state(breaker) is State.CLOSED


def test_who_began_before_it_opened_closes_nothing() -> None:
    breaker = Breaker("model", 1, 10.0, VirtualClock())

    with breaker.guard():
        fail(breaker)

    assert state(breaker) is State.OPEN


def test_who_began_before_it_opened_is_no_trial_that_failed() -> None:
    clock = VirtualClock()
    breaker = Breaker("model", 1, 10.0, clock)
    late = breaker.begin()
    fail(breaker)
    clock.advance(10)

    with breaker.guard():
        breaker.end(late, OSError)

    assert (breaker.state, breaker.trips) == (State.CLOSED, 1)


@given(st.lists(st.sampled_from(["begin", "good", "bad", "lost", "wait"]), max_size=60))
def test_whatever_happens_one_trial_at_most_is_under_way_and_a_rest_lets_one_in(
    steps: list[str],
) -> None:
    clock, errors = VirtualClock(), {"good": None, "bad": OSError, "lost": asyncio.CancelledError}
    breaker = Breaker("model", 2, 10.0, clock)
    open_calls: list[tuple[int, bool]] = []
    for step in steps:
        if step == "wait":
            clock.advance(5)
        elif step == "begin":
            before = breaker.state
            try:
                open_calls.append((breaker.begin(), before is State.HALF_OPEN))
            except Resting:
                assert before is not State.CLOSED
            else:
                assert before is not State.OPEN
        elif open_calls:
            breaker.end(open_calls.pop(0)[0], errors[step])
        trials = [epoch for epoch, is_trial in open_calls if is_trial]
        assert len(set(trials)) == len(trials)
    for epoch, _ in open_calls:
        breaker.end(epoch, asyncio.CancelledError)
    clock.advance(10)
    breaker.end(breaker.begin(), None)
    assert state(breaker) is State.CLOSED
