"""The running mind under pressure: when memory is short, and when there is more than it can do."""

import asyncio
from pathlib import Path

import pytest

from emily_runtime.messages import Refused
from emily_runtime.mind.responding import STIMULUS
from emily_runtime.mind.runtime import Runtime
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.structs import Reply
from emily_runtime.nerves.clock import VirtualClock
from emily_runtime.nerves.psi import Watch
from tests.runtime.mind.runtimes import lived, running
from tests.runtime.nerves.stalling import figures


async def begun_before(runtime: Runtime, stalled: float) -> Reply:
    """The reply to a question after which so many percent of the time were spent on memory."""
    asking = asyncio.create_task(runtime.stimulate(Stimulus("why is the pool slow?")))
    await asyncio.sleep(0)
    runtime.ladder.take(stalled)
    return await asking


def test_on_the_last_rung_of_pressure_only_reflexes_answer(tmp_path: Path) -> None:
    stalled = 60.0

    async def life(runtime: Runtime) -> None:
        runtime.ladder.take(stalled)

        assert runtime.pressure() == 4
        assert (await runtime.stimulate(Stimulus("ping"))).words == "pong"
        with pytest.raises(Refused, match="EMY-2015"):
            await runtime.stimulate(Stimulus("why?"))

    lived(tmp_path, life)


def test_when_memory_is_short_what_everybody_has_heard_is_let_go(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        await runtime.stimulate(Stimulus("why is the pool slow?"))
        heard = runtime.bus.lane(STIMULUS)
        assert heard
        assert (heard.oldest, heard.head) == (0, 1)

        runtime.ladder.take(10.0)
        while heard.oldest < heard.head:
            await asyncio.sleep(0)

        assert runtime.pressure() == 1

    lived(tmp_path, life)


def test_what_was_begun_before_memory_was_short_is_still_thought_about(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        reply = await begun_before(runtime, 30.0)

        assert (reply.tier, reply.action) == ("inference", "answer")

    lived(tmp_path, life)


def test_on_the_last_rung_what_was_begun_is_not_thought_about_and_says_so(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        reply = await begun_before(runtime, 60.0)

        assert (reply.tier, reply.action, reply.degraded) == ("workspace", "", True)
        assert "memory is short" in reply.why

    lived(tmp_path, life)


def test_an_alarm_that_cannot_be_watched_leaves_the_ladder_its_own_looks(tmp_path: Path) -> None:
    file = tmp_path / "memory.pressure"
    file.write_text(figures(35.0))

    async def life() -> None:
        clock = VirtualClock(1.7e9)
        async with running(tmp_path, clock=clock, watch=Watch(file, b"")) as runtime:
            await clock.elapse(2.5)

            assert runtime.pressure() == 3

    asyncio.run(life())


def test_under_heavy_load_work_is_put_off(tmp_path: Path) -> None:
    async def life() -> None:
        clock = VirtualClock(1.7e9)
        async with running(tmp_path, clock=clock) as runtime:
            for _ in range(10):  # the machine's own pressure is looked at every other second
                runtime.burden(1.0)
                await clock.elapse(1)
            assert runtime.substrate().shed > 0.5

            asked = (runtime.stimulate(Stimulus(f"why {number}?")) for number in range(30))
            asking = asyncio.gather(*asked, return_exceptions=True)
            while not asking.done():
                await clock.elapse(0.125)
                await asyncio.sleep(0.001)

        found = asking.result()
        assert all(isinstance(one, Reply | Refused) for one in found)
        assert 10 < sum(isinstance(one, Refused) for one in found) < 29

    asyncio.run(life())
