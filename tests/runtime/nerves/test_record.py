"""A recording gives back what was said, bit for bit, up to wherever it was torn off."""

import asyncio
import os
import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, msgpack

from emily_runtime.messages import Refused
from emily_runtime.nerves.bus import Bus, Message
from emily_runtime.nerves.clock import VirtualClock
from emily_runtime.nerves.record import MAGIC, Ending, Gap, Recorder, record, recording
from emily_runtime.nerves.ring import Batch

WORDS = st.sampled_from(["", "a", "감정", "\0", "x" * 300])
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | WORDS
PAYLOADS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
FRAME_HEAD = 8


class Level(Struct):
    name: str
    value: float


class Pair(NamedTuple):
    left: int
    right: float


def _messages(payloads: list[Any]) -> list[Message]:
    return [Message(at, "topic", at * 7, f"t{at}", one) for at, one in enumerate(payloads)]


def _written(file: Path, payloads: list[Any]) -> list[int]:
    """Where each message ends."""
    ends = []
    with Recorder(file, {"seed": 7}) as recorder:
        for message in _messages(payloads):
            recorder.write(Batch([message], 0))
            ends.append(recorder.bytes)
    return ends


def _same(one: object, other: object) -> bool:
    """Bit for bit, not-a-number included."""
    return msgpack.encode(one) == msgpack.encode(other)


@settings(max_examples=40)
@given(st.lists(PAYLOADS, max_size=3))
def test_what_was_said_comes_back_bit_for_bit(payloads: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "run")
        _written(file, payloads)

        found = recording(file)

        assert _same(list(found), _messages(payloads))
        assert (found.header, found.ending, found.unread) == ({"seed": 7}, Ending.WHOLE, 0)


@given(st.data())
def test_torn_off_anywhere_all_whole_messages_are_read(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "run")
        ends = _written(file, ["short", {"longer": [1.5] * 20}, ""])
        start = ends[0] - (ends[1] - ends[0])
        cut = data.draw(st.integers(max(start, ends[0] - 3), ends[-1] + FRAME_HEAD))
        os.truncate(file, cut)

        found = recording(file)
        whole = sum(end <= cut for end in ends)

        assert len(list(found)) == whole
        assert found.ending is (Ending.OPEN if cut in ends else Ending.TORN)
        assert found.unread == cut - ends[whole - 1] if whole else found.unread


@given(st.data())
def test_a_flipped_bit_ends_it_before_that_message(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "run")
        ends = _written(file, ["one", "two", "three"])
        at = data.draw(st.integers(ends[0], ends[2] - 1))
        content = bytearray(file.read_bytes())
        content[at] ^= 1 << data.draw(st.integers(0, 7))
        file.write_bytes(content)

        found = recording(file)

        assert [one.payload for one in found if isinstance(one, Message)] == (
            ["one"] if at < ends[1] else ["one", "two"]
        )
        assert found.ending is Ending.TORN


def test_payloads_become_what_their_topic_says(tmp_path: Path) -> None:
    said = [
        Message(0, "level", 1, "", Level("dopamine", 0.1)),
        Message(1, "pair", 2, "", Pair(1, 2.0)),
    ]
    with Recorder(tmp_path / "run", {}) as recorder:
        recorder.write(Batch(said, 0))

    found = recording(tmp_path / "run", {"level": Level, "pair": Pair})

    assert list(found) == said


def test_a_run_is_recorded_while_it_goes_and_to_its_last_message(tmp_path: Path) -> None:
    async def run() -> None:
        bus = Bus(VirtualClock(), slots=4)
        with Recorder(tmp_path / "run", {}) as recorder:
            task = asyncio.create_task(record(bus.subscribe(), recorder))
            await asyncio.sleep(0)
            for at in range(3):
                bus.publish("a", at)
            await asyncio.sleep(0.05)
            for at in range(3, 12):
                bus.publish("b", at)
            task.cancel()
            await asyncio.wait({task})

    asyncio.run(run())

    found = recording(tmp_path / "run")
    assert [one.payload if isinstance(one, Message) else one for one in found] == [
        *range(3), Gap(5), *range(8, 12)
    ]  # fmt: skip
    assert found.ending is Ending.WHOLE


@contextmanager
def _full_disk(size: int) -> Iterator[None]:
    """No file may grow over SIZE bytes; Python ignores the signal, so a write fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more_ends_it_behind_a_whole_message(tmp_path: Path) -> None:
    file = tmp_path / "run"
    first, second = _messages(["small", "x" * 5_000])
    recorder = Recorder(file, {})
    recorder.write(Batch([first], 0))

    with _full_disk(2_000), pytest.raises(Refused, match="EMY-7006"):
        recorder.write(Batch([second], 0))

    found = recording(file)
    assert list(found) == [first]
    assert found.ending is Ending.OPEN
    assert not recorder.is_open


def test_a_forgotten_recording_ends_by_itself(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run", {}, most_bytes=500)

    with pytest.raises(Refused, match="EMY-7006"):
        recorder.write(Batch(_messages(["x" * 100] * 9), 0))

    assert list(recording(tmp_path / "run")) == []


def test_it_is_for_the_service_alone_and_replaces_no_file(tmp_path: Path) -> None:
    Recorder(tmp_path / "run", {}).close()

    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused, match="EMY-7005"):
        Recorder(tmp_path / "run", {})


@pytest.mark.parametrize(
    "content", [b"", b"emily", MAGIC, MAGIC + b"\x01\0\0\0", b"\x7fELF" * 9,
                MAGIC + struct.pack("<II", 1 << 31, 0)],
)  # fmt: skip
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run").write_bytes(content)

    with pytest.raises(Refused, match="EMY-7004"):
        recording(tmp_path / "run")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        recording(tmp_path / "gone")

    assert "No such file" in refused.value.told("en")
