"""What fails starts again, at once the first time, then ever more slowly, until it is given up."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.nerves.clock import VirtualClock
from emily_runtime.nerves.supervise import Health, Incident, Life, Patience, Supervisor

Act = Callable[[VirtualClock, Supervisor], Awaitable[None]]


def _supervised(act: Act) -> list[Incident]:
    """What was told while ACT ran."""

    async def run() -> list[Incident]:
        clock = VirtualClock()
        told: list[Incident] = []
        supervisor = Supervisor(clock, told.append)
        await act(clock, supervisor)
        await supervisor.stop()
        return told

    return asyncio.run(run())


async def _fails() -> None:
    raise OSError("no disk")


async def _sleeps() -> None:
    await asyncio.Event().wait()


def test_a_failing_task_pauses_longer_each_time_and_is_given_up() -> None:
    lives: list[tuple[str, ...]] = []

    async def act(clock: VirtualClock, supervisor: Supervisor) -> None:
        supervisor.start("sense", _fails, Patience(pause=1.0, longest=3.0, most=6, within=60.0))
        await clock.elapse(30.0)
        lives.append(supervisor.given_up())

    told = _supervised(act)

    assert [incident.pause for incident in told] == [0.0, 1.0, 2.0, 3.0, 3.0, 0.0]
    assert [incident.code for incident in told] == ["EMY-7002"] * 5 + ["EMY-7003"]
    assert told[0].reason == "OSError: no disk"
    assert told[0].where.startswith("test_supervise.py:")
    assert lives == [("sense",)]
    assert told[-1].message("en").text == (
        "sense failed 6 times in a row (OSError: no disk) and stays off"
    )


def test_who_fails_seldom_enough_is_never_given_up() -> None:
    async def act(clock: VirtualClock, supervisor: Supervisor) -> None:
        async def now_and_then() -> None:
            await clock.sleep(31.0)
            raise OSError

        supervisor.start("seldom", now_and_then, Patience(most=3, within=60.0))
        await clock.elapse(3_100.0)
        assert supervisor.health()[0].life is Life.RUNNING

    assert {incident.pause for incident in _supervised(act)} == {0.0, 0.1}


def test_a_jump_of_the_clock_is_no_failure_and_forgives_old_ones() -> None:
    async def act(clock: VirtualClock, supervisor: Supervisor) -> None:
        supervisor.start("sense", _fails, Patience(pause=10.0, most=4, within=60.0))
        await clock.elapse(1.0)
        clock.advance(86_400.0)
        await clock.elapse(0.0)

    assert [incident.failures for incident in _supervised(act)] == [1, 2, 1, 2]


@pytest.mark.parametrize("how", ["cancel", "return"])
def test_a_task_that_is_cancelled_or_returns_starts_again(how: str) -> None:
    begun: list[asyncio.Task[None] | None] = []

    async def act(clock: VirtualClock, supervisor: Supervisor) -> None:
        async def work() -> None:
            begun.append(asyncio.current_task())
            if how == "cancel" or len(begun) > 1:
                await _sleeps()

        supervisor.start("sense", work)
        await clock.elapse(0.0)
        if how == "cancel" and begun[0]:
            begun[0].cancel()
        await clock.elapse(0.0)

    told = _supervised(act)

    assert len(begun) == 2
    assert [incident.reason for incident in told] == ["cancelled" if how == "cancel" else "ended"]


def test_one_that_fails_disturbs_no_other() -> None:
    beats: list[int] = []

    async def act(clock: VirtualClock, supervisor: Supervisor) -> None:
        async def beat() -> None:
            while True:
                await clock.sleep(1.0)
                beats.append(clock.monotonic_ns())

        supervisor.start("bad", _fails)
        supervisor.start("good", beat)
        await clock.elapse(60.0)
        assert supervisor.health()[1] == Health("good", Life.RUNNING, 0, "")

    _supervised(act)

    assert len(beats) == 60


def test_what_was_given_up_can_be_tried_again_once() -> None:
    begun: list[int] = []

    async def act(clock: VirtualClock, supervisor: Supervisor) -> None:
        async def work() -> None:
            begun.append(clock.monotonic_ns())
            if len(begun) < 3:
                raise OSError
            await _sleeps()

        supervisor.start("sense", work, Patience(most=2))
        await clock.elapse(10.0)
        assert supervisor.given_up() == ("sense",)
        supervisor.retry("sense")
        supervisor.retry("sense")
        await clock.elapse(10.0)
        assert supervisor.given_up() == ()

    _supervised(act)

    assert len(begun) == 3


def test_a_retry_in_a_pause_does_not_start_it_twice() -> None:
    begun: list[int] = []

    async def act(clock: VirtualClock, supervisor: Supervisor) -> None:
        async def work() -> None:
            begun.append(clock.monotonic_ns())
            if len(begun) < 3:
                raise OSError
            await _sleeps()

        supervisor.start("sense", work, Patience(pause=5.0))
        await clock.elapse(1.0)
        supervisor.retry("sense")
        await clock.elapse(20.0)

    _supervised(act)

    assert len(begun) == 3


def test_stopping_ends_everything_and_tells_of_no_failure() -> None:
    ended: list[str] = []

    async def act(clock: VirtualClock, supervisor: Supervisor) -> None:
        async def work() -> None:
            try:
                await _sleeps()
            finally:
                ended.append("closed")

        supervisor.start("sense", work)
        supervisor.start("bad", _fails, Patience(pause=5.0))
        await clock.elapse(1.0)
        assert await supervisor.stop() == ()
        await clock.elapse(60.0)

    assert {incident.name for incident in _supervised(act)} == {"bad"}
    assert ended == ["closed"]


@given(st.integers(0, 10_000))
def test_whatever_is_cancelled_whenever_it_runs_in_the_end(seed: int) -> None:
    chance = random.Random(seed)
    running: set[str] = set()

    async def act(clock: VirtualClock, supervisor: Supervisor) -> None:
        async def work(name: str) -> None:
            running.add(name)
            try:
                await clock.sleep(chance.uniform(0.0, 5.0))
                raise OSError
            finally:
                running.discard(name)

        for name in "abc":
            supervisor.start(name, lambda name=name: work(name), Patience(most=1_000))  # type: ignore[misc]
        for _ in range(20):
            await clock.elapse(chance.uniform(0.0, 3.0))
            tasks = [task for task in asyncio.all_tasks() if task.get_name() in "abc"]
            for task in chance.sample(tasks, min(1, len(tasks))):
                task.cancel()
        await clock.elapse(0.0)
        for health in supervisor.health():
            assert (health.name in running) == (health.life is Life.RUNNING)

    _supervised(act)

    assert not running
