"""Messages of the bus as WebSocket frames, each encoded once for whoever reads it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from emily_runtime.nerves.bus import Message

TEXT = 0x81
"""A whole text message in one frame (RFC 6455); what a server sends is not masked."""


class Hello(msgspec.Struct, frozen=True, tag_field="kind", tag="hello"):
    """The first word: who speaks, and how far its numbers go."""

    instance: str
    version: str
    colour: str
    next: int


class Subscribed(msgspec.Struct, frozen=True, tag_field="kind", tag="subscribed"):
    """What is heard from now on; no topics are all topics."""

    topics: list[str]


class Reset(msgspec.Struct, frozen=True, tag_field="kind", tag="reset"):
    """The number to go on from is none of this instance's: what was known of the past is void.

    What durable topics said since then comes next, as far as it is kept, and then what is new.
    """

    instance: str
    """Whose numbers count from here on."""
    next: int
    """The first of them that is still to come."""
    code: str
    detail: str
    action: str


class Said(msgspec.Struct, frozen=True, tag_field="kind", tag="message"):
    """A message of the bus."""

    sequence: int
    topic: str
    at_ns: int
    trace: str
    payload: Any


class Earlier(msgspec.Struct, frozen=True, tag_field="kind", tag="earlier"):
    """A message of a durable topic, from before the connection."""

    instance: str
    """Whose number this is."""
    sequence: int
    topic: str
    at: float
    """Seconds since the epoch."""
    trace: str
    payload: msgspec.Raw


class Lost(msgspec.Struct, frozen=True, tag_field="kind", tag="lost"):
    """How many messages the reader was too slow for, at this place."""

    count: int
    exact: bool = True
    """False where they are at most so many: a resumed reader of some topics."""


class Snapshot(msgspec.Struct, frozen=True, tag_field="kind", tag="snapshot"):
    """How things are; one that cannot be sent is left out, since the next one says it all."""

    payload: Any


class Trouble(msgspec.Struct, frozen=True, tag_field="kind", tag="problem"):
    """What was sent cannot be understood."""

    code: str
    detail: str
    action: str


class Subscribe(
    msgspec.Struct, frozen=True, tag_field="op", tag="subscribe", forbid_unknown_fields=True
):
    """Hear these topics instead of those before."""

    topics: list[str] = []
    """None are all."""
    since: int | None = None
    """Go on after this number, as far as it is still held."""
    instance: str = ""
    """Whose number that is; one without it can be anybody's, and is not gone on from."""
    snapshots: bool = False
    """Whether to be told every second how things are."""


class Unsubscribe(
    msgspec.Struct, frozen=True, tag_field="op", tag="unsubscribe", forbid_unknown_fields=True
):
    """Hear nothing more."""


Word = Subscribe | Unsubscribe
Told = Hello | Subscribed | Reset | Earlier | Said | Lost | Snapshot | Trouble
_WORDS = msgspec.json.Decoder(Word)


def understood(text: str) -> Word:
    """What a client says; msgspec's errors where it makes no sense."""
    word: Word = _WORDS.decode(text)
    return word


def _plain(value: object) -> object:
    """Arrays and the like: whatever can say itself as plain values."""
    plain = getattr(value, "tolist", None)
    return plain() if plain else str(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def frame(told: Told) -> bytes:
    """A message as it goes on the wire."""
    body = _ENCODER.encode(told)
    size = len(body)
    if size < 126:
        return bytes((TEXT, size)) + body
    if size < 65536:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big") + body
    return bytes((TEXT, 127)) + size.to_bytes(8, "big") + body


class Frames:
    """The frames of the last messages, by number: the second reader finds what the first made."""

    def __init__(self, slots: int = 2048) -> None:
        self._mask = slots - 1
        self._held: list[tuple[int, bytes]] = [(-1, b"")] * slots
        self.made = 0
        """How many have been encoded."""

    def of(self, messages: Sequence[Message]) -> bytes:
        """The frames of some messages, one after the other."""
        return b"".join([self._one(message) for message in messages])

    def _one(self, message: Message) -> bytes:
        place = message.sequence & self._mask
        number, held = self._held[place]
        if number != message.sequence:
            held = _said(message)
            self._held[place] = message.sequence, held
            self.made += 1
        return held


def _said(message: Message) -> bytes:
    try:
        return frame(Said(*message[:4], _named(message.payload)))
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        # A reader is told that there was something, rather than nothing at all.
        return frame(Said(*message[:4], {"unreadable": type(message.payload).__name__}))


def _named(payload: Any) -> Any:
    """A NamedTuple by the names of its fields."""
    return payload._asdict() if hasattr(payload, "_asdict") else payload
