"""Durable topics: what was said on them outlives the run that said it, in one SQLite file."""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from emily_runtime.memory.sqlite.faults import told
from emily_runtime.nerves.bus import Message

NAME = "durable.sqlite"
WAITING = 4096
"""Messages that wait for the disk; the oldest of more are lost, and counted."""
KEPT = 100_000
"""Messages in the file; the oldest of more are forgotten."""
_SCHEMA = """
create table if not exists said (
  place integer primary key, run text not null, sequence integer not null, topic text not null,
  at real not null, trace text not null, payload blob not null
);
create index if not exists said_by_run on said (run, sequence);
"""
_COLUMNS = "run, sequence, topic, at, trace, payload"


class Row(NamedTuple):
    """A message as it is kept."""

    run: str
    sequence: int
    """Within its run."""
    topic: str
    at: float
    """Seconds since the epoch."""
    trace: str
    payload: bytes
    """JSON."""


class Ledger:
    """The two stages of its chain set messages aside; write() puts them on the disk."""

    def __init__(self, folder: Path, run: str, wall: Callable[[], float]) -> None:
        """RUN is whose messages these are; WALL tells the time, in seconds since the epoch."""
        self.lost = 0
        self.written = 0
        self._file = folder / NAME
        self._run = run
        self._wall = wall
        self._waiting: deque[Row] = deque()
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._moment = threading.Lock()
        """Held by who changes what waits, and never while the disk is waited for."""

    def row(self, message: Message) -> Row:
        """The first stage."""
        named = getattr(message.payload, "_asdict", None)
        payload = msgspec.json.encode(named() if named else message.payload, enc_hook=str)
        return Row(self._run, message.sequence, message.topic, self._wall(), message.trace, payload)

    def take(self, row: Row) -> None:
        """The last stage."""
        with self._moment:
            self._waiting.append(row)
            if len(self._waiting) > WAITING:
                self._waiting.popleft()
                self.lost += 1

    async def write(self) -> None:
        """Keep what was set aside; where the disk takes nothing, Refused, and it still waits."""
        if self._waiting:
            await asyncio.to_thread(self._write)

    async def after(self, run: str, sequence: int, most: int) -> list[Row]:
        """At most the newest MOST of what was said after a message of a run; none if unknown."""
        await self.write()
        return await asyncio.to_thread(self._after, run, sequence, most)

    async def close(self) -> None:
        """Let go of the file."""
        await asyncio.to_thread(self._close)

    def _write(self) -> None:
        with self._lock, told(self._file):
            with self._moment:
                rows, lost = list(self._waiting), self.lost
            connection = self._opened()
            with connection:
                marks = ", ".join("?" for _ in Row._fields)
                connection.executemany(f"insert into said ({_COLUMNS}) values ({marks})", rows)  # noqa: S608 - names of ours
                newest = "select max(place) from said"
                connection.execute(f"delete from said where place <= ({newest}) - ?", (KEPT,))  # noqa: S608
            with self._moment:
                gone = min(len(rows), self.lost - lost)
                self.lost -= gone  # they gave way to others meanwhile, and are kept all the same
                for _ in rows[gone:]:
                    self._waiting.popleft()
            self.written += len(rows)

    def _after(self, run: str, sequence: int, most: int) -> list[Row]:
        with self._lock, told(self._file):
            connection = self._opened()
            last = "select max(place) from said where run = ? and sequence <= ?"
            first = "select min(place) - 1 from said where run = ?"
            (place,) = connection.execute(
                f"select coalesce(({last}), ({first}))",
                (run, sequence, run),
            ).fetchone()
            if place is None:
                return []
            found: Sequence[Any] = connection.execute(
                f"select {_COLUMNS} from said where place > ? order by place desc limit ?",  # noqa: S608
                (place, most),
            ).fetchall()
            return [Row(*one) for one in reversed(found)]

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._file, check_same_thread=False)
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = normal")
            self._connection.executescript(_SCHEMA)
        return self._connection

    def _close(self) -> None:
        with self._lock:
            if self._connection:
                self._connection.close()
                self._connection = None
