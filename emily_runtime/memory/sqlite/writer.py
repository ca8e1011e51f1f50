"""One thread that writes: whoever waits at the same time shares a commit."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from emily_runtime.memory.sqlite.faults import told
from emily_runtime.messages import Refused

T = TypeVar("T")

WAITING = 1024
"""Writes that may be queued."""
TOGETHER = 64
"""Writes of one commit at most."""


@dataclass(frozen=True)
class _Job(Generic[T]):
    work: Callable[[sqlite3.Connection], T]
    done: asyncio.Future[T]

    def tell(self, result: T) -> None:
        self._later(lambda: self.done.set_result(result))

    def fail(self, error: Refused) -> None:
        self._later(lambda: self.done.set_exception(error))

    def _later(self, call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self.done.get_loop().call_soon_threadsafe(self._unless_done, call)

    def _unless_done(self, call: Callable[[], None]) -> None:
        if not self.done.done():
            call()


class Writer:
    """Work on the one connection that writes, each piece within a transaction."""

    def __init__(self, file: Path, connection: sqlite3.Connection, wait: float) -> None:
        self._file = file
        self._connection = connection
        self._wait = wait
        self._room = asyncio.Semaphore(WAITING)
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="memory-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many writes are queued."""
        return self._jobs.qsize()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What WORK returns, once it is committed; it may be run twice, the first time undone."""
        try:
            async with asyncio.timeout(self._wait), self._room:
                done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
                self._jobs.put(_Job(work, done))
                return await done
        except TimeoutError:
            raise Refused("EMY-4007", seconds=self._wait) from None

    async def stop(self) -> None:
        """Whatever is queued is written first."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        ending = False
        while not ending:
            jobs = [self._jobs.get()]
            with suppress(queue.Empty):
                while len(jobs) < TOGETHER:
                    jobs.append(self._jobs.get_nowait())
            ending = None in jobs
            if real := [job for job in jobs if job is not None]:
                self._commit(real)
        with suppress(sqlite3.Error):  # what isn't moved now, the next start moves
            self._connection.execute("pragma wal_checkpoint(truncate)")
        self._connection.close()

    def _commit(self, jobs: list[_Job[Any]]) -> None:
        try:
            with told(self._file):
                results = self._transaction(jobs)
        except Refused as error:
            if len(jobs) == 1:
                jobs[0].fail(error)
                return
            for job in jobs:  # one of them is to blame: each on its own
                self._commit([job])
        else:
            for job, result in zip(jobs, results, strict=True):
                job.tell(result)

    def _transaction(self, jobs: list[_Job[Any]]) -> list[Any]:
        with self._connection:  # commits, or rolls back
            self._connection.execute("begin immediate")
            return [job.work(self._connection) for job in jobs]
