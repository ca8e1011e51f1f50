"""Rows 2, 3 and 11: what it costs to hand things on."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from statistics import median
from typing import Any

from emily_runtime.bench.peers.peer import Absent, Around, peer
from emily_runtime.bench.row import NOT_RUN, Row, in_turn, not_run, ratio
from emily_runtime.bench.stages import SIGNALS, STAGES, Levels, centred, scaled, strongest
from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.clock import RealClock
from emily_runtime.nerves.components import Component
from emily_runtime.nerves.fusion import fused
from emily_runtime.nerves.pipeline import Unit
from emily_runtime.nerves.ring import Ring
from emily_runtime.nerves.topology import organise

ITEMS = 51_200
BURST = 256
SLOTS = 1024
READERS = 4
INVOKED = 200
"""Times that LangGraph is asked in one turn."""
RATE = 50_000
"""Operations a second that the share of a core is told for."""


def rows(around: Around) -> list[Row]:
    """All of them."""
    return [*_pipelines(), _nodes(around), *_fan_out(), _one_to_one(around)]


def _pipelines() -> list[Row]:
    times = in_turn(PIPELINES)
    faster = ratio(times["queue"], times["ring"])
    whole = ratio(times["queue"], times["bus"])
    rates = {name: ITEMS / median(each) for name, each in times.items()}
    queue = f"{rates['queue']:,.0f}/s by a queue for each hop"
    return [
        Row("2", "three fused stages over the ring", f"{rates['ring']:,.0f}/s", queue, str(faster),
            "at least 200,000/s and 1.7 times the queues",
            ITEMS / min(times["ring"]) >= 200_000 and faster.reaches(1.7)),
        Row("2b", "the same over the bus, with time, number and trace", f"{rates['bus']:,.0f}/s",
            queue, str(whole), "faster than the queues, which carry none of these",
            whole.reaches(1.0)),
        _coordination(times),
    ]  # fmt: skip


def _nodes(around: Around) -> Row:
    what, goal = "three nodes", "at least 100 times LangGraph"
    with peer(around, "by_langgraph", items=INVOKED) as theirs:
        if isinstance(theirs, Absent):
            return not_run("2c", what, goal, theirs.why)
        times = in_turn({"ring": _over_ring, "peer": theirs})
    each = {"ring": [one / ITEMS for one in times["ring"]],
            "peer": [one / INVOKED for one in times["peer"]]}  # fmt: skip
    faster = ratio(each["peer"], each["ring"])
    ours, other = (f"{median(one) * 1e6:,.1f} µs" for one in each.values())
    return Row("2c", what, ours, f"{other}, {theirs.version}", str(faster), goal,
               faster.reaches(100.0))  # fmt: skip


def _one_to_one(around: Around) -> Row:
    what, goal = "one writer, one reader", "at least 4 times Zenoh in one process"
    with peer(around, "by_zenoh", items=ITEMS) as theirs:
        if isinstance(theirs, Absent):
            return not_run("11b", what, goal, theirs.why)
        times = in_turn({"ring": partial(_ring_fan_out, 1), "peer": theirs})
    faster = ratio(times["peer"], times["ring"])
    ours, other = (f"{median(one) / ITEMS * 1e6:.2f} µs" for one in times.values())
    return Row("11b", what, f"{ours} a message", f"{other}, {theirs.version}", str(faster), goal,
               faster.reaches(4.0))  # fmt: skip


def _coordination(times: dict[str, list[float]]) -> Row:
    added = {
        way: [(whole - direct) / ITEMS
              for whole, direct in zip(times[way], times["direct"], strict=True)]
        for way in ("ring", "bus", "queue")
    }  # fmt: skip
    ring, bus, queue = (median(added[way]) for way in ("ring", "bus", "queue"))
    return Row(
        "3",
        "what handing on adds to the stages' own time",
        f"{ring * 1e6:.2f} µs over the ring, {ring * RATE:.2%} of a core at {RATE:,}/s "
        f"({bus * 1e6:.2f} µs over the bus)",
        f"{queue * 1e6:.2f} µs by the queues",
        f"{queue / ring:.3g}",
        "over the ring at most 1 %",
        min(added["ring"]) * RATE <= 0.01,
    )


def _direct() -> None:
    for _ in range(ITEMS):
        strongest(centred(scaled(SIGNALS)))


def _over_ring() -> None:
    async def run() -> int:
        ring: Ring[Levels] = Ring(SLOTS)
        cursor = ring.cursor()
        out: Ring[float] = Ring(SLOTS)
        work = fused(STAGES)

        async def read() -> None:
            while cursor.delivered < ITEMS:
                await cursor.wait()
                results: list[float] = []
                work(cursor.read().items, results.append)
                out.extend(results)

        await asyncio.gather(read(), _bursts(ring.put))
        return cursor.lost

    _lossless(run())


def _over_bus() -> None:
    async def run() -> int:
        bus = Bus(RealClock(), SLOTS)
        topics = ("in", "one", "two", "out")
        parts = [
            Component(stage.__name__, frozenset({topics[at]}), frozenset({topics[at + 1]}), stage)
            for at, stage in enumerate(STAGES)
        ]
        unit = Unit(bus, organise(parts).chains[0])
        task = asyncio.create_task(unit.run())
        await _bursts(partial(bus.publish, "in"))
        while unit.handled < ITEMS:
            await asyncio.sleep(0)
        task.cancel()
        return bus.lost()

    _lossless(run())


def _over_queues() -> None:
    async def run() -> int:
        queues: list[asyncio.Queue[Any]] = [asyncio.Queue(SLOTS) for _ in STAGES]

        async def hop(at: int, stage: Callable[[Any], Any]) -> None:
            for _ in range(ITEMS):
                result = stage(await queues[at].get())
                if at + 1 < len(queues):
                    await queues[at + 1].put(result)

        async def feed() -> None:
            for _ in range(ITEMS):
                await queues[0].put(SIGNALS)

        await asyncio.gather(feed(), *(hop(at, stage) for at, stage in enumerate(STAGES)))
        return 0

    _lossless(run())


def _fan_out() -> list[Row]:
    times = in_turn(FANS)
    faster = ratio(times["queue"], times["ring"])
    ours, theirs = (median(times[name]) / ITEMS * 1e6 for name in ("ring", "queue"))
    return [
        Row("11", f"one writer, {READERS} readers", f"{ours:.2f} µs a message",
            f"{theirs:.2f} µs by a queue for each reader", str(faster), "at least 10 times",
            faster.reaches(10.0)),
    ]  # fmt: skip


def _ring_fan_out(readers: int = READERS) -> None:
    async def run() -> int:
        ring: Ring[Levels] = Ring(SLOTS)
        cursors = [ring.cursor() for _ in range(readers)]

        async def read(at: int) -> None:
            while cursors[at].delivered < ITEMS:
                await cursors[at].wait()
                cursors[at].read()

        await asyncio.gather(*(read(at) for at in range(readers)), _bursts(ring.put))
        return sum(cursor.lost for cursor in cursors)

    _lossless(run())


def _queue_fan_out() -> None:
    async def run() -> int:
        queues: list[asyncio.Queue[Levels]] = [asyncio.Queue() for _ in range(READERS)]

        async def read(at: int) -> None:
            for _ in range(ITEMS):
                await queues[at].get()

        def put(levels: Levels) -> None:
            for queue in queues:
                queue.put_nowait(levels)

        await asyncio.gather(*(read(at) for at in range(READERS)), _bursts(put))
        return 0

    _lossless(run())


PIPELINES = {"direct": _direct, "ring": _over_ring, "bus": _over_bus, "queue": _over_queues}
FANS = {"ring": _ring_fan_out, "queue": _queue_fan_out}


async def _bursts(put: Callable[[Levels], object]) -> None:
    """Write everything, and let others run after every burst."""
    for _ in range(ITEMS // BURST):
        for _ in range(BURST):
            put(SIGNALS)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def _lossless(run: Coroutine[Any, Any, int]) -> None:
    lost = asyncio.run(run)
    if lost:
        raise RuntimeError(f"{lost} messages were lost, so that the times tell nothing: {NOT_RUN}")
