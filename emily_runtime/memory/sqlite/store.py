"""The memory in one SQLite file: one thread writes, a few read, vectors are searched exactly."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from emily_runtime.memory.episode import DIMENSIONS, Episode, Vector, checked
from emily_runtime.memory.fusion import candidates, fused
from emily_runtime.memory.sqlite import cold, rows, schema
from emily_runtime.memory.sqlite.faults import told
from emily_runtime.memory.sqlite.readers import Readers
from emily_runtime.memory.sqlite.schema import Durability
from emily_runtime.memory.sqlite.writer import Writer
from emily_runtime.memory.store import Found, Health, Shrunk, tallied
from emily_runtime.memory.vectors import HOT, Vectors
from emily_runtime.messages import Refused

NAME = "episodes.sqlite"


@dataclass(frozen=True)
class Settings:
    """How much of what."""

    readers: int = 4
    wait: float = 5.0
    """Seconds that a call may take, its time in a queue included."""
    durability: Durability = Durability.PROCESS
    hot: int = HOT
    """About how many of the newest vectors are held in full."""


class _Open(NamedTuple):
    writer: Writer
    readers: Readers


class SqliteStore:
    """A Store in FOLDER; several processes may use the same one."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.file = folder / NAME
        self._settings = settings or Settings()
        self._vectors = Vectors(self._settings.hot)
        self._loading = threading.Lock()
        self._opened: _Open | None = None
        self._failed = ""

    async def open(self) -> None:
        """Refused where the file is unusable; all its vectors are read."""
        if self._opened is None:
            writing, reading = await asyncio.to_thread(self._connections)
            wait = self._settings.wait
            writer, readers = Writer(self.file, writing, wait), Readers(self.file, reading, wait)
            self._opened = _Open(writer, readers)

    async def close(self) -> None:
        """What is queued is written first."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.readers.stop()
            await opened.writer.stop()

    async def add(self, episodes: Sequence[Episode]) -> int:
        """How many are new."""
        ready = [checked(episode) for episode in episodes]
        try:
            new = await self._use.writer.run(lambda connection: rows.insert(connection, ready))
        except Refused as error:
            self._failed = error.told("en")
            raise
        self._failed = ""
        return new

    async def get(self, identity: str) -> Episode | None:
        """One episode."""
        return next(iter(await self.several([identity])), None)

    async def several(self, identities: Sequence[str]) -> list[Episode]:
        """Those that are held."""

        def read(connection: sqlite3.Connection) -> list[Episode]:
            numbers = list(rows.known(connection, identities).values())
            return list(rows.fetch(connection, numbers).values())

        return await self._use.readers.run(read)

    async def missing(self, identities: Sequence[str]) -> set[str]:
        """Who isn't held."""
        known = await self._use.readers.run(lambda connection: rows.known(connection, identities))
        return set(identities) - known.keys()

    async def by_text(self, query: str, most: int) -> list[Found]:
        """By bm25."""

        def read(connection: sqlite3.Connection) -> list[Found]:
            return _found(connection, rows.by_text(connection, query, most))

        return await self._use.readers.run(read)

    async def by_vector(self, vector: Vector, most: int) -> list[Found]:
        """By the cosine, exactly."""

        def read(connection: sqlite3.Connection) -> list[Found]:
            return _found(connection, self._near(connection, vector, most))

        return await self._use.readers.run(read)

    async def search(self, query: str, vector: Vector, most: int) -> list[Found]:
        """By both."""

        def read(connection: sqlite3.Connection) -> list[Found]:
            deep = candidates(most)
            texts = rows.by_text(connection, query, deep)
            near = self._near(connection, vector, deep)
            rankings = [[number for number, _ in ranking] for ranking in (texts, near)]
            return _found(connection, fused(rankings, most))

        return await self._use.readers.run(read)

    async def count(self) -> int:
        """How many there are."""
        return await self._use.readers.run(rows.count)

    async def checksum(self) -> str:
        """Reads every field of every episode."""
        return (await tallied(self)).checksum

    async def scan(self, after: str, most: int) -> list[Episode]:
        """By identity."""
        return await self._use.readers.run(lambda connection: rows.scan(connection, after, most))

    async def shrink(self, keep: int, /) -> Shrunk:
        """Old vectors are rounded in memory (their rows are not), old texts packed on the disk."""
        writer = self._use.writer
        with self._loading:
            self._vectors.hot = keep
            vectors = self._vectors.settle()
        texts = saved = 0
        while (block := await writer.run(lambda connection: cold.pack_one(connection, keep))).texts:
            texts, saved = texts + block.texts, saved + block.before - block.after
        free = -1
        while free and free != (free := await writer.run(cold.give_back)):
            pass
        return Shrunk(self._vectors.cold, texts, saved + vectors * 3 * DIMENSIONS)

    async def expand(self) -> None:
        """Vectors in full again, from their rows; texts stay packed, which costs no memory."""

        def read(connection: sqlite3.Connection) -> Vectors:
            whole = Vectors(self._settings.hot)
            rows.load(connection, whole)
            return whole

        whole = await self._use.readers.run(read)
        with self._loading:
            self._vectors = whole

    async def tidy(self) -> None:
        """The words' index in one piece; a large one keeps writers waiting for seconds."""
        await self._use.writer.run(rows.tidy)

    async def health(self) -> Health:
        """How it is."""
        vectors, opened = self._vectors, self._opened
        search = "exact" if not vectors.cold else f"exact; {vectors.cold} older ones in 8 bits"
        count, ratio, waiting, why = vectors.count, 1.0, 0, self._failed
        try:
            count, ratio = await self._use.readers.run(_size)
        except Refused as error:
            why = error.told("en")
        if opened is not None:
            waiting = opened.writer.waiting + opened.readers.busy
        return Health("sqlite", str(self.file), not why, count, search, waiting, ratio, why)

    @property
    def _use(self) -> _Open:
        if self._opened is None:
            raise Refused("EMY-4008")
        return self._opened

    def _connections(self) -> tuple[sqlite3.Connection, list[sqlite3.Connection]]:
        settings = self._settings
        with told(self.file):
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            writing = schema.writer(self.file, settings.durability, settings.wait)
            readers = range(settings.readers)
            reading = [schema.reader(self.file, settings.wait) for _ in readers]
            rows.load(reading[0], self._vectors)
        return writing, reading

    def _near(
        self, connection: sqlite3.Connection, vector: Vector, most: int
    ) -> list[tuple[int, float]]:
        with self._loading:
            vectors = self._vectors
            rows.load(connection, vectors)
        return rows.by_vector(connection, vectors, vector, most)


def _size(connection: sqlite3.Connection) -> tuple[int, float]:
    return rows.last(connection), cold.packed(connection).ratio


def _found(connection: sqlite3.Connection, scored: Sequence[tuple[int, float]]) -> list[Found]:
    episodes = rows.fetch(connection, [number for number, _ in scored])
    return [Found(episodes[number], score) for number, score in scored]
