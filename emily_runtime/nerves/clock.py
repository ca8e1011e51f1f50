"""One source of time, so that a run can be repeated without waiting."""

import asyncio
import heapq
import time
from itertools import count
from typing import Protocol

_SECOND = 1_000_000_000
_QUIET = 25
"""Turns of the loop in which whoever was woken gets to its next sleep."""


class Clock(Protocol):
    """Time that only moves forward, the time of day, and waiting."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since a moment that means nothing."""

    def wall(self) -> float:
        """Seconds since the epoch; may jump."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class RealClock:
    """The machine's time."""

    def __init__(self) -> None:
        self.monotonic_ns = time.monotonic_ns  # bound here: a message takes its time from it
        self.wall = time.time

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class VirtualClock:
    """Time that stands still until it is moved; whoever sleeps wakes in the order of due times."""

    def __init__(self, wall: float = 0.0) -> None:
        self._now = 0
        self._epoch = wall
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    def monotonic_ns(self) -> int:
        """Nanoseconds since this clock was made."""
        return self._now

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._epoch + self._now / _SECOND

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved so far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        awake = asyncio.get_running_loop().create_future()
        due = self._now + _nanoseconds(seconds)
        heapq.heappush(self._sleepers, (due, next(self._order), awake))
        await awake

    def set_wall(self, wall: float) -> None:
        """Set the time of day, as an operator does; nobody wakes of it."""
        self._epoch = wall - self._now / _SECOND

    def advance(self, seconds: float) -> None:
        """Jump: all who are due wake at once and late, as after a suspended machine."""
        self._move(self._now + _nanoseconds(seconds))

    async def elapse(self, seconds: float) -> None:
        """Let time pass, and whoever is due act at the moment it is due."""
        end = self._now + _nanoseconds(seconds)
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._move(max(self._now, self._sleepers[0][0]))
            await self._settle()
        self._move(end)

    def _move(self, to: int) -> None:
        self._now = to
        while self._sleepers and self._sleepers[0][0] <= to:
            awake = heapq.heappop(self._sleepers)[2]
            if not awake.done():  # its task may have been cancelled
                awake.set_result(None)

    async def _settle(self) -> None:
        for _ in range(_QUIET):
            await asyncio.sleep(0)


def _nanoseconds(seconds: float) -> int:
    if seconds < 0:
        raise ValueError("time does not go back")
    return round(seconds * _SECOND)
