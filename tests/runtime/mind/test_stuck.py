"""What only another process would mend, and what goes on without a part."""

import asyncio
from pathlib import Path

from emily_runtime.mind.runtime import Runtime
from emily_runtime.nerves.clock import VirtualClock
from emily_runtime.nerves.supervise import Patience
from tests.runtime.mind.runtimes import lived, running


def test_without_cycles_it_is_stuck(tmp_path: Path) -> None:
    async def life() -> None:
        clock = VirtualClock(1.7e9)
        async with running(tmp_path, clock=clock) as runtime:
            await clock.elapse(1.01)
            before = runtime.stuck()
            await runtime.supervisor.stop("tick")
            clock.advance(3)

            assert before is None
            assert "3.0 s" in (runtime.stuck() or "")

    asyncio.run(life())


def test_a_part_that_was_given_up_makes_it_ill_and_not_stuck(tmp_path: Path) -> None:
    async def fail() -> None:
        raise OSError("gone")

    async def life(runtime: Runtime) -> None:
        runtime.supervisor.start("a part", fail, Patience(most=1))
        await asyncio.sleep(0.01)

        assert "a part" in (runtime.healthy() or "")
        assert runtime.stuck() is None

    lived(tmp_path, life)
