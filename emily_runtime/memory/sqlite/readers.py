"""Connections that read, a thread each, in turn, with a bounded wait for one and its answer."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from emily_runtime.memory.sqlite.faults import told
from emily_runtime.messages import Refused

T = TypeVar("T")


class Readers:
    """A pool."""

    def __init__(self, file: Path, connections: Sequence[sqlite3.Connection], wait: float) -> None:
        self._file = file
        self._all = tuple(connections)
        self._wait = wait
        self._idle = list(connections)
        # A queue would give to whoever comes while the next in turn is being woken.
        self._turn = asyncio.Semaphore(len(connections))
        self._threads = ThreadPoolExecutor(len(connections), thread_name_prefix="memory-reader")

    @property
    def busy(self) -> int:
        """How many are reading."""
        return len(self._all) - len(self._idle)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What WORK returns; Refused (EMY-4007) where no answer came in time."""
        try:
            async with asyncio.timeout(self._wait):
                await self._turn.acquire()
                return await self._ask(self._idle.pop(), work)
        except TimeoutError:
            raise Refused("EMY-4007", seconds=self._wait) from None

    async def stop(self) -> None:
        """Who still reads is interrupted."""
        for connection in self._all:
            connection.interrupt()
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._all:
            connection.close()

    async def _ask(
        self, connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]
    ) -> T:
        def read() -> T:
            with told(self._file):
                return work(connection)

        answer = asyncio.get_running_loop().run_in_executor(self._threads, read)
        answer.add_done_callback(lambda done: self._back(connection, done))
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            connection.interrupt()
            raise

    def _back(self, connection: sqlite3.Connection, done: asyncio.Future[T]) -> None:
        if not done.cancelled():
            done.exception()  # seen, also where nobody waits for it any more
        self._idle.append(connection)
        self._turn.release()
