"""The memory in PostgreSQL: a few connections, and a rest while the server is away."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from emily_runtime.breaker import Breaker, State
from emily_runtime.memory.episode import Episode, Vector, checked
from emily_runtime.memory.fusion import candidates, fused
from emily_runtime.memory.postgres import rows, schema
from emily_runtime.memory.postgres.faults import Unreachable, refused
from emily_runtime.memory.postgres.pool import Connection, Pool, Ways
from emily_runtime.memory.postgres.rows import Scored
from emily_runtime.memory.postgres.vectors import adapt
from emily_runtime.memory.store import Found, Health, Shrunk, tallied
from emily_runtime.messages import Refused
from emily_runtime.nerves.clock import Clock

T = TypeVar("T")

PEER = "dbname=emily"
"""Over the unix socket, as the user that we run as: no password anywhere."""


@dataclass(frozen=True)
class Settings:
    """Where, and how much of what."""

    dsn: str = PEER
    """A connection string or URL of libpq."""
    schema: str = "emily"
    password: str = ""
    """From a credential; not needed where the server knows us by our user."""
    connections: int = 4
    wait: float = 5.0
    """Seconds that a call may take, its time in a queue included."""
    failures: int = 3
    index_from: int = 5000
    """Episodes from which tidy() makes an index: below, looking at all of them is as quick."""
    rest: float = 5.0
    """Seconds in which a server that failed so often is left alone."""


class PostgresStore:
    """A Store; it outlives restarts of its server."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self.place = described(settings)
        self.breaker = Breaker(
            self.place, settings.failures, settings.rest, clock, counted=(Unreachable,)
        )
        self._search: schema.Search | None = None
        self._pool: Pool | None = None

    async def open(self) -> None:
        """Refused where the server is away; calls that come later try again by themselves."""
        if self._pool is None:
            settings = self._settings
            ways = Ways(self._connect, self._prepare)
            self._pool = Pool(self.place, ways, settings.connections, settings.wait)
        await self.run(rows.count)

    async def close(self) -> None:
        """What is under way is finished."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def add(self, episodes: Sequence[Episode]) -> int:
        """How many are new."""
        ready = [checked(episode) for episode in episodes]
        return await self.run(lambda connection: rows.insert(connection, ready))

    async def get(self, identity: str) -> Episode | None:
        """One episode."""
        return next(iter(await self.several([identity])), None)

    async def several(self, identities: Sequence[str]) -> list[Episode]:
        """Those that are held."""
        found = await self.run(lambda connection: rows.fetch(connection, identities))
        return list(found.values())

    async def missing(self, identities: Sequence[str]) -> set[str]:
        """Who isn't held."""
        known = await self.run(lambda connection: rows.known(connection, identities))
        return set(identities) - known

    async def by_text(self, query: str, most: int) -> list[Found]:
        """By ts_rank."""

        async def read(connection: Connection) -> list[Found]:
            return await _found(connection, await rows.by_text(connection, query, most))

        return await self.run(read)

    async def by_vector(self, vector: Vector, most: int) -> list[Found]:
        """By the cosine: nearly always the nearest with HNSW, exactly without."""

        async def read(connection: Connection) -> list[Found]:
            return await _found(connection, await self._near(connection, vector, most))

        return await self.run(read)

    async def search(self, query: str, vector: Vector, most: int) -> list[Found]:
        """By both."""

        async def read(connection: Connection) -> list[Found]:
            deep = candidates(most)
            texts = await rows.by_text(connection, query, deep)
            near = await self._near(connection, vector, deep)
            rankings = [[identity for identity, _ in ranking] for ranking in (texts, near)]
            return await _found(connection, fused(rankings, most))

        return await self.run(read)

    async def count(self) -> int:
        """How many there are."""
        return await self.run(rows.count)

    async def checksum(self) -> str:
        """Reads every field of every episode."""
        return (await tallied(self)).checksum

    async def scan(self, after: str, most: int) -> list[Episode]:
        """By identity."""
        return await self.run(lambda connection: rows.scan(connection, after, most))

    async def shrink(self, _keep: int, /) -> Shrunk:
        """Nothing: no episode is held in the memory of this process."""
        return Shrunk(0, 0, 0)

    async def expand(self) -> None:
        """Nothing was shrunk."""

    async def tidy(self) -> None:
        """An index for vectors, once there are enough; others read and write meanwhile."""
        if await self.count() < self._settings.index_from:
            return
        try:
            async with await self._connect() as connection:
                await self._prepare(connection)
                self._search = await schema.index(connection, self._settings.schema)
        except psycopg.Error as error:
            raise refused(self.place, error) from error

    async def health(self) -> Health:
        """How it is, by counting."""
        count, why = 0, ""
        try:
            count = await self.count()
        except Refused as error:
            why = error.told("en")
        if self.breaker.state is not State.CLOSED:
            why = f"left alone ({self.breaker.state}): {why}"
        search = self._search.told if self._search else "not known yet"
        waiting = self._pool.busy if self._pool else 0
        return Health("postgresql", self.place, not why, count, search, waiting, 1.0, why)

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What WORK returns on one of the connections, unless the server is left alone."""
        if self._pool is None:
            raise Refused("EMY-4008")
        with self.breaker.guard():
            return await self._pool.run(work)

    async def _near(self, connection: Connection, vector: Vector, most: int) -> list[Scored]:
        by_server = self._search is not None and self._search.by_server
        search = rows.by_server if by_server else rows.by_streaming
        return await search(connection, vector, most)

    async def _connect(self) -> Connection:
        settings = self._settings
        secret = {"password": settings.password} if settings.password else {}
        where = make_conninfo(settings.dsn, application_name="emily-runtime", **secret)
        return await psycopg.AsyncConnection.connect(where, autocommit=True)

    async def _prepare(self, connection: Connection) -> None:
        settings = self._settings
        limit = f"{max(round(settings.wait * 900), 1)}ms"  # the server gives up before we do
        await connection.execute(
            "select set_config('search_path', %s, false),"
            " set_config('statement_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', '60s', false),"
            " set_config('hnsw.ef_search', %s, false)",
            (f"{settings.schema}, public", limit, str(rows.SEARCHED)),
        )
        self._search = await schema.prepared(connection, settings.schema, self.place)
        adapt(connection, await schema.vector_type(connection, settings.schema))


def described(settings: Settings) -> str:
    """The database for a person: nothing of a password."""
    known = conninfo_to_dict(settings.dsn)
    host = known.get("host") or known.get("hostaddr") or "unix socket"
    return f"postgresql {known.get('dbname') or 'emily'} ({host}), schema {settings.schema}"


async def _found(connection: Connection, scored: Sequence[Scored]) -> list[Found]:
    episodes = await rows.fetch(connection, [identity for identity, _ in scored])
    return [Found(episodes[identity], score) for identity, score in scored]
