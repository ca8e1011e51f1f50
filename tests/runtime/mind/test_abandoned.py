"""Whoever goes before the reply leaves nothing behind that waits, works or is held."""

import asyncio
import random
from collections import Counter
from pathlib import Path

from emily_runtime.mind.runtime import Runtime
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.wishes import Facet, Wish
from tests.runtime.mind.runtimes import lived

FACETS = [Facet(name, tuple("abcdefgh"), (0.0,) * 8) for name in "pqrs"]


async def at_work() -> Counter[str]:
    """What every task of the process is about, once all have settled."""
    await asyncio.sleep(0.3)
    return Counter(repr(task.get_coro()).split()[2] for task in asyncio.all_tasks())


async def left(asking: "asyncio.Task[object]", chance: random.Random) -> None:
    """Somebody asks, and is gone after up to 15 ms."""
    await asyncio.sleep(chance.uniform(0, 0.015))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


def test_no_task_is_left_of_stimuli_that_nobody_waits_for(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        before, chance = await at_work(), random.Random(3)
        for number in range(40):
            stimulus = Stimulus(f"why is pool {number} slow?")
            await left(asyncio.create_task(runtime.stimulate(stimulus)), chance)

        assert await at_work() == before
        assert (await runtime.stimulate(Stimulus("how is the fan?"))).action == "answer"

    lived(tmp_path, life)


def test_no_task_is_left_of_hypotheses_that_nobody_waits_for(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        before, chance = await at_work(), random.Random(4)
        for _ in range(20):
            await left(asyncio.create_task(runtime.generate(FACETS, Wish(100))), chance)
        found = await runtime.generate(FACETS, Wish(100))

        assert found.unique == 100
        assert await at_work() == before

    lived(tmp_path, life)
