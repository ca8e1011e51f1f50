"""Virtual time passes only when it is told to, and real time by itself."""

import asyncio
import time

import pytest

from emily_runtime.nerves.clock import Clock, RealClock, VirtualClock

SECOND = 1_000_000_000


async def _tick(clock: Clock, period: float, seen: list[int]) -> None:
    while True:
        await clock.sleep(period)
        seen.append(clock.monotonic_ns())


def test_whoever_ticks_acts_at_every_moment_that_is_due() -> None:
    async def run() -> tuple[list[int], list[int]]:
        clock = VirtualClock()
        fast: list[int] = []
        slow: list[int] = []
        async with asyncio.TaskGroup() as group:
            ticks = [group.create_task(_tick(clock, *how)) for how in ((0.125, fast), (0.5, slow))]
            await clock.elapse(1.0)
            for task in ticks:
                task.cancel()
        return fast, slow

    fast, slow = asyncio.run(run())

    assert fast == [SECOND * eighth // 8 for eighth in range(1, 9)]
    assert slow == [SECOND // 2, SECOND]


def test_a_jump_wakes_who_is_due_once_and_late() -> None:
    async def run() -> list[int]:
        clock = VirtualClock()
        seen: list[int] = []
        task = asyncio.create_task(_tick(clock, 1.0, seen))
        await clock.elapse(1.0)
        clock.advance(3600.0)
        await clock.elapse(0.5)
        task.cancel()
        return seen

    assert asyncio.run(run()) == [SECOND, 3601 * SECOND]


def test_sleepers_wake_in_the_order_in_which_they_are_due() -> None:
    async def run() -> list[float]:
        clock = VirtualClock()
        woken: list[float] = []

        async def sleeper(seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(seconds)

        tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3.0, 1.0, 2.0, 0.0)]
        await asyncio.sleep(0)
        clock.advance(5.0)
        await asyncio.gather(*tasks)
        return woken

    assert asyncio.run(run()) == [0.0, 1.0, 2.0, 3.0]


def test_a_cancelled_sleeper_is_passed_over() -> None:
    async def run() -> list[int]:
        clock = VirtualClock()
        seen: list[int] = []
        gone = asyncio.create_task(clock.sleep(1.0))
        stays = asyncio.create_task(_tick(clock, 1.0, seen))
        await asyncio.sleep(0)
        gone.cancel()
        await clock.elapse(1.0)
        stays.cancel()
        return seen

    assert asyncio.run(run()) == [SECOND]


def test_setting_the_time_of_day_moves_nothing_else() -> None:
    clock = VirtualClock(wall=1_000.0)
    clock.advance(5.0)

    clock.set_wall(10.0)
    clock.advance(1.0)

    assert clock.wall() == pytest.approx(11.0)
    assert clock.monotonic_ns() == 6 * SECOND


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        VirtualClock().advance(-1.0)


def test_the_real_clock_is_the_machines() -> None:
    clock = RealClock()
    begin = clock.monotonic_ns()

    asyncio.run(clock.sleep(0.01))

    assert clock.monotonic_ns() - begin >= 9_000_000
    assert clock.wall() == pytest.approx(time.time(), abs=5.0)
