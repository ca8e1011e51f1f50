"""A run in a file: every message in order, readable up to wherever it was torn off.

After a magic line come frames: length and CRC-32 of the body, 4 bytes each, then the body as
MessagePack. The first body is a header, a list of one number says how many messages were lost, an
empty list ends the file, and anything else is a message.
"""

import asyncio
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple
from zlib import crc32

from msgspec import convert, msgpack

from emily_runtime.messages import Refused
from emily_runtime.nerves.bus import Message, Subscription
from emily_runtime.nerves.ring import Batch

MAGIC = b"emily-run 1\n"
MOST_BYTES = 1 << 30
"""A recording that grows further ends, so that one that was forgotten fills no disk."""
_FRAME = struct.Struct("<II")
_LARGEST = 64 << 20


class Gap(NamedTuple):
    """Messages that the recording does not have; a replay cannot go over it."""

    lost: int


class Ending(StrEnum):
    """How a recording ends."""

    WHOLE = "whole"
    """Closed in good order."""
    OPEN = "open"
    """After a whole message, as while it is still written or after a kill."""
    TORN = "torn"
    """Within a message, which is left out; or damaged there."""


class Recorder:
    """Writes a recording, which nobody else can read; Refused where the file can't be made."""

    def __init__(
        self, file: Path, header: Mapping[str, object], most_bytes: int = MOST_BYTES
    ) -> None:
        self.file = file
        self.bytes = 0
        self._most = most_bytes
        try:
            self._door = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refused("EMY-7005", file=file, reason=error.strerror) from None
        self._append(MAGIC + _framed(dict(header)))

    def write(self, batch: Batch[Message]) -> None:
        """Append what a read brought; Refused, with all of it left out, where it does not fit."""
        frames = [_framed([batch.lost])] if batch.lost else []
        frames += [_framed(message) for message in batch.items]
        self._append(b"".join(frames))

    @property
    def is_open(self) -> bool:
        """Whether it takes more."""
        return self._door >= 0

    def close(self) -> None:
        """End it in good order."""
        if self.is_open:
            self._append(_framed([]))
            self._shut()

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, data: bytes) -> None:
        if self.bytes + len(data) > self._most:
            self._shut()
            raise Refused("EMY-7006", file=self.file, reason=f"{self._most} bytes are the most")
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._door, rest) :]
        except OSError as error:
            os.ftruncate(self._door, self.bytes)
            self._shut()
            raise Refused("EMY-7006", file=self.file, reason=error.strerror) from None
        self.bytes += len(data)

    def _shut(self) -> None:
        os.close(self._door)
        self._door = -1


async def record(subscription: Subscription, recorder: Recorder) -> None:
    """Write down what is heard until cancelled, and what is left then; Refused by a full disk."""
    writing: asyncio.Future[None] | None = None
    try:
        while True:
            await subscription.wait()
            writing = asyncio.ensure_future(asyncio.to_thread(recorder.write, subscription.read()))
            await asyncio.shield(writing)
    finally:
        if writing and not writing.done():
            await asyncio.wait({writing})
        if recorder.is_open:
            recorder.write(subscription.read())
        subscription.close()


@dataclass
class Recording:
    """A recording to iterate over; how it ended is known after that."""

    file: Path
    header: dict[str, Any]
    types: Mapping[str, type]
    """What the payloads of a topic are made into; plain values where it is not said."""
    ending: Ending = Ending.OPEN
    unread: int = 0
    """Bytes behind the last whole message."""

    def __iter__(self) -> Iterator[Message | Gap]:
        self.ending, self.unread = Ending.OPEN, 0
        with self.file.open("rb") as source:
            source.seek(len(MAGIC))
            _next(source)
            while self.ending is Ending.OPEN:
                start = source.tell()
                content = _next(source)
                if content is None:
                    self._stopped(start)
                    return
                yield from self._told(content)

    def _stopped(self, at: int) -> None:
        self.unread = self.file.stat().st_size - at
        if self.unread:
            self.ending = Ending.TORN

    def _told(self, content: list[Any]) -> Iterator[Message | Gap]:
        if not content:
            self.ending = Ending.WHOLE
        elif len(content) == 1:
            yield Gap(content[0])
        else:
            message = Message(*content)
            kind = self.types.get(message.topic)
            yield message._replace(payload=convert(message.payload, kind)) if kind else message


def recording(file: Path, types: Mapping[str, type] | None = None) -> Recording:
    """A recording by its header; Refused where it is none."""
    try:
        with file.open("rb") as source:
            is_ours = source.read(len(MAGIC)) == MAGIC
            header = _next(source) if is_ours else None
    except OSError as error:
        raise Refused("EMY-7004", file=file, reason=error.strerror) from None
    if not isinstance(header, dict):
        raise Refused("EMY-7004", file=file, reason="it has no whole header")
    return Recording(file, header, types or {})


def _framed(content: object) -> bytes:
    body = msgpack.encode(content)
    return _FRAME.pack(len(body), crc32(body)) + body


def _next(source: BinaryIO) -> Any:
    """The content of the next frame; None where it is not there in full, or not as it was."""
    head = source.read(_FRAME.size)
    if len(head) < _FRAME.size:
        return None
    length, sum_of_body = _FRAME.unpack(head)
    body = source.read(length) if length <= _LARGEST else b""
    if not body or len(body) < length or crc32(body) != sum_of_body:
        return None
    return msgpack.decode(body)
