"""A bounded number of connections, made when needed; each call has so many seconds, no more.

psycopg_pool retries in the background until its own time is up; here a server that is down is
known at once, which is what the breaker around it wants to hear.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import NamedTuple, TypeAlias, TypeVar

import psycopg

from emily_runtime.memory.postgres.faults import Unreachable, refused
from emily_runtime.messages import Refused

T = TypeVar("T")
Connection: TypeAlias = psycopg.AsyncConnection[tuple[object, ...]]


class Ways(NamedTuple):
    """How a connection is made, and what it needs before it is used."""

    connect: Callable[[], Awaitable[Connection]]
    prepare: Callable[[Connection], Awaitable[None]]


class Pool:
    """At most MOST connections; a call waits for one and for its answer at most WAIT seconds."""

    def __init__(self, place: str, ways: Ways, most: int, wait: float) -> None:
        self._place = place
        self._ways = ways
        self._wait = wait
        self._room = asyncio.Semaphore(most)
        self._idle: list[Connection] = []
        self._busy = 0
        self._closed = False

    @property
    def busy(self) -> int:
        """How many calls are under way or wait."""
        return self._busy

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What WORK returns; it is repeated once where an old connection turns out to be dead."""
        self._busy += 1
        late = Refused  # waiting for one's turn says nothing about the server
        try:
            async with asyncio.timeout(self._wait), self._room:
                late = Unreachable
                return await self._attempt(work)
        except TimeoutError:
            raise late("EMY-4007", seconds=self._wait) from None
        except psycopg.Error as error:
            raise refused(self._place, error) from error
        finally:
            self._busy -= 1

    async def close(self) -> None:
        """Idle connections now, busy ones when they are done."""
        self._closed = True
        await self._drop()

    async def _attempt(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        if self._closed:
            raise Refused("EMY-4008")
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._on(connection, work)
            except psycopg.OperationalError:
                if not connection.closed:
                    raise
                await self._drop()  # a server that restarted has broken all of them
        return await self._on(await self._ways.connect(), lambda new: self._first(new, work))

    async def _first(self, new: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(new.close)
            await self._ways.prepare(new)
            stack.pop_all()
        return await work(new)

    async def _on(self, connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
        """A task of its own: when time is up its socket ends, which psycopg can't overlook."""
        task = asyncio.ensure_future(work(connection))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            _hang_up(connection)
            with suppress(psycopg.Error, Refused):
                await task
            raise
        finally:
            await self._back(connection)

    async def _back(self, connection: Connection) -> None:
        idle = psycopg.pq.TransactionStatus.IDLE
        if connection.closed or self._closed or connection.info.transaction_status != idle:
            await connection.close()
        else:
            self._idle.append(connection)

    async def _drop(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()


def _hang_up(connection: Connection) -> None:
    """End both directions; a server that is frozen could not even be asked to cancel."""
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.fileno())) as line, suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
