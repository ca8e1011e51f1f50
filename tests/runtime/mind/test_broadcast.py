"""What ignites is told to all: once, in one order, before the next cycle, and at no one's pace."""

import asyncio
from itertools import pairwise
from pathlib import Path

from emily_runtime.mind.runtime import Runtime
from emily_runtime.mind.stimulus import Stimulus
from tests.runtime.mind.runtimes import PING, lived

TROUBLE = Stimulus("disk 3 failed", (-0.9,))


async def flooded(runtime: Runtime) -> set[str]:
    """Twelve questions at once, for seven places; those whose content ignited."""
    asked = [Stimulus(f"why is pool {n} slow?", (1 - n / 100,)) for n in range(12)]
    replies = await asyncio.gather(*map(runtime.stimulate, asked))
    return {one.text for one, reply in zip(asked, replies, strict=True)
            if reply.standing == "ignited"}  # fmt: skip


def test_each_content_is_told_once_and_to_all_alike(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        topics = ("broadcast", "beat")
        with runtime.bus.subscribe(*topics) as one, runtime.bus.subscribe(*topics) as other:
            ignited = await flooded(runtime)
            said = one.read().items
            assert said == other.read().items

        told = [message.payload for message in said if message.topic == "broadcast"]
        assert {one.text for one in told} >= ignited > set()
        assert len({one.item for one in told}) == len(told)
        for before, after in pairwise(told):
            assert before.cycle < after.cycle or before.salience >= after.salience

    lived(tmp_path, life)


def test_all_that_ignites_in_a_cycle_is_told_before_that_cycle_ends(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        with runtime.bus.subscribe("broadcast", "beat") as reader:
            await flooded(runtime)
            said = reader.read().items

        cycle = said[0].payload.cycle
        for message in said:
            assert message.payload.cycle == cycle
            cycle += message.topic == "beat"

    lived(tmp_path, life)


def test_whoever_does_not_listen_is_told_how_much_it_lost_and_stops_nobody(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        with runtime.bus.subscribe("broadcast") as slow, runtime.bus.subscribe("broadcast") as one:
            heard = 0
            for number in range(6):
                await runtime.stimulate(TROUBLE._replace(text=f"disk {number} failed"))
                got = one.read()
                heard += len(got.items) + got.lost
            kept = slow.read()

        assert heard >= 6
        assert (len(kept.items), kept.lost) == (4, heard - 4)

    lived(tmp_path, life, text=f"{PING}[bus]\nslots = 4\n")
