"""A ring of slots that one loop writes and any number of readers follow, each at its own pace."""

import asyncio
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Batch(NamedTuple, Generic[T]):
    """What a read brought, oldest first."""

    items: list[T]
    lost: int
    """How many were overwritten, before these, since the read before."""


class Ring(Generic[T]):
    """Power-of-two slots: a write takes the same time whoever reads, and never waits."""

    def __init__(self, slots: int) -> None:
        if slots < 1 or slots & (slots - 1):
            raise ValueError(f"a ring has a power of two as its number of slots, not {slots}")
        self._slots: list[T | None] = [None] * slots
        self._mask = slots - 1
        self._head = 0
        self._released = 0
        self.waiting: list[asyncio.Future[None]] = []
        """Whom the next write wakes."""

    @property
    def slots(self) -> int:
        """How many items it holds."""
        return self._mask + 1

    @property
    def head(self) -> int:
        """The number of the next item, which is how many there have been."""
        return self._head

    @property
    def oldest(self) -> int:
        """The number of the oldest item still held."""
        return max(self._released, self._head - self._mask - 1)

    def release(self, number: int) -> None:
        """Let go of the items before this number, none of which a cursor has still to read."""
        for place in range(self.oldest, number):
            self._slots[place & self._mask] = None
        self._released = max(self._released, number)

    def put(self, item: T) -> int:
        """Write an item over the oldest one; its number, counted from 0."""
        number = self._head
        self._slots[number & self._mask] = item
        self._head = number + 1
        if self.waiting:
            self._knock()
        return number

    def extend(self, items: list[T]) -> None:
        """Write many items, as so many puts would."""
        kept = items[-self._mask - 1 :]
        place = (self._head + len(items) - len(kept)) & self._mask
        first = kept[: self._mask + 1 - place]
        self._slots[place : place + len(first)] = first
        self._slots[: len(kept) - len(first)] = kept[len(first) :]
        self._head += len(items)
        if self.waiting and items:
            self._knock()

    def between(self, start: int, stop: int) -> list[T]:
        """The items with these numbers, all of which must still be held."""
        first, end = start & self._mask, stop & self._mask
        if start == stop:
            return []
        if first < end:
            return self._slots[first:end]  # type: ignore[return-value]  # written slots only
        return self._slots[first:] + self._slots[:end]  # type: ignore[return-value]

    def cursor(self) -> "Cursor[T]":
        """A reader of everything from now on."""
        return Cursor(self, self._head)

    def _knock(self) -> None:
        """One call is scheduled, however many wait: waking them is not the writer's work."""
        waiting, self.waiting = self.waiting, []
        waiting[0].get_loop().call_soon(_wake, waiting)


class Cursor(Generic[T]):
    """A reader's place in a ring; `delivered + lost` is what was written since it began."""

    __slots__ = ("_position", "_ring", "delivered", "lost")

    def __init__(self, ring: Ring[T], position: int) -> None:
        self._ring = ring
        self._position = position
        self.delivered = 0
        self.lost = 0

    @property
    def lag(self) -> int:
        """How many items it has neither got nor lost count of."""
        return self._ring.head - self._position

    def skip(self) -> int:
        """Step over what has been overwritten; how many that were."""
        lost = max(0, self._ring.oldest - self._position)
        self._position += lost
        self.lost += lost
        return lost

    def peek(self) -> list[T]:
        """What a read would bring; to be called after skip."""
        return self._ring.between(self._position, self._ring.head)

    def take(self, number: int) -> None:
        """Count the first NUMBER of what was peeked at as delivered."""
        self._position += number
        self.delivered += number

    def read(self, most: int | None = None) -> Batch[T]:
        """The next items, at most MOST, without waiting; none is an empty batch."""
        ring, start, lost = self._ring, self._position, 0
        stop = ring._head
        oldest = stop - ring._mask - 1
        if start < oldest:
            lost, start = oldest - start, oldest
            self.lost += lost
        if most is not None and stop - start > most:
            stop = start + most
        self._position = stop
        self.delivered += stop - start
        return Batch(ring.between(start, stop), lost)

    async def wait(self) -> None:
        """Return when there is something to read."""
        while self._ring.head == self._position:
            await written([self._ring])


async def written(rings: Sequence[Ring[T]]) -> None:
    """Return after the next write to any of them."""
    bell = asyncio.get_running_loop().create_future()
    for ring in rings:
        ring.waiting.append(bell)
    try:
        await bell
    finally:
        for ring in rings:
            if bell in ring.waiting:
                ring.waiting.remove(bell)


def _wake(waiting: list[asyncio.Future[None]]) -> None:
    for one in waiting:
        if not one.done():
            one.set_result(None)
