"""One encoding for all who listen, and a count that adds up at every pace."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.clock import VirtualClock
from emily_runtime.service.fanout import Fanout
from emily_runtime.service.frames import Said, frame
from emily_runtime.service.guard import Socket


class Line:
    """A connection that takes what it is sent, or not, as a test wants it."""

    def __init__(self) -> None:
        self.is_open = True
        self.is_ready = True
        self.paused: Callable[[], None] | None = None
        self.resumed: Callable[[], None] | None = None
        self.data = b""
        self.room: int | None = None
        self.transport = SimpleNamespace(write=self.write)

    def write(self, data: bytes) -> None:
        self.data += data
        if self.room is not None and len(self.data) > self.room:
            self.room, self.is_ready = None, False
            if self.paused:
                self.paused()

    def drains(self) -> None:
        if not self.is_ready:
            self.is_ready = True
            if self.resumed:
                self.resumed()

    def heard(self) -> list[Any]:
        found, rest = [], self.data
        while rest:
            size, head = (rest[1], 2) if rest[1] < 126 else (int.from_bytes(rest[2:4], "big"), 4)
            found.append(msgspec.json.decode(rest[head : head + size]))
            rest = rest[head + size :]
        return found


def joined(fanout: Fanout, *topics: str) -> Line:
    line = Line()
    fanout.subscribe(fanout.join(cast(Socket, line)), topics, None)
    return line


def test_a_message_is_encoded_once_however_many_listen() -> None:
    async def run() -> tuple[int, set[bytes]]:
        fanout = Fanout(Bus(VirtualClock()))
        lines = [joined(fanout, "a") for _ in range(50)] + [joined(fanout) for _ in range(50)]
        for number in range(7):
            fanout.bus.publish("a", {"number": number})
        await asyncio.sleep(0.01)
        return fanout.frames.made, {line.data for line in lines}

    made, said = asyncio.run(run())

    assert made == 7
    assert len(said) == 1


def nested() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


def test_what_cannot_be_encoded_is_still_told_of() -> None:
    async def run() -> list[Any]:
        fanout = Fanout(Bus(VirtualClock()))
        line = joined(fanout)
        fanout.bus.publish("odd", {"deep": nested()})
        await asyncio.sleep(0.01)
        return line.heard()

    assert asyncio.run(run())[0]["payload"] == {"unreadable": "dict"}


STEPS = st.lists(st.tuples(st.sampled_from(["say", "drain", "close up"]), st.integers(0, 40)))


@settings(max_examples=60)
@given(steps=STEPS)
def test_heard_and_lost_add_up_whatever_the_pace(steps: list[tuple[str, int]]) -> None:
    async def run() -> tuple[int, Line, Line]:
        fanout = Fanout(Bus(VirtualClock(), slots=16))
        slow, quick, said = joined(fanout), joined(fanout), 0
        for step, count in steps:
            for _ in range(count if step == "say" else 0):
                fanout.bus.publish("t" if said % 3 else "u", {"number": said})
                said += 1
            if step == "drain":
                slow.drains()
            elif step == "close up":
                slow.room = len(slow.data) + count * 10
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        slow.drains()
        await asyncio.sleep(0.005)
        slow.drains()
        return said, slow, quick

    said, *lines = asyncio.run(run())

    for line in lines:
        told = line.heard()
        numbers = [one["payload"]["number"] for one in told if one["kind"] == "message"]
        lost = sum(one["count"] for one in told if one["kind"] == "lost")
        assert numbers == sorted(set(numbers))
        assert len(numbers) + lost == said


def test_long_messages_have_the_longer_heads_of_rfc_6455() -> None:
    sizes = [frame(Said(0, "t", 0, "", "x" * size))[1] & 0x7F for size in (1, 200, 70_000)]

    assert sizes[0] < 126
    assert sizes[1:] == [126, 127]
