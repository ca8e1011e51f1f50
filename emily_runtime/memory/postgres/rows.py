"""Episodes as rows, and rows found again: plain functions of a connection."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from emily_runtime.memory import words
from emily_runtime.memory.episode import Episode, Vector
from emily_runtime.memory.postgres.pool import Connection

Scored = tuple[str, float]

SEARCHED = 100
"""hnsw.ef_search: candidates that the index keeps, so the most it can find."""
LARGEST_SEARCH = 1000
"""What pgvector takes at most there; beyond, every row is looked at."""
_STREAMED = 2000
"""Rows of an exact scan that are here at a time."""
_COLUMNS = "identity, at, text, affect, trace, source, vector"


async def insert(connection: Connection, episodes: Sequence[Episode]) -> int:
    """How many were new."""
    rows = [
        (e.identity, e.at, e.text, list(e.affect), e.trace, e.source, e.vector,
         words.tsvector(e.text))
        for e in episodes
    ]  # fmt: skip
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(
            "insert into episodes (identity, at, text, affect, trace, source, vector, words)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s::tsvector) on conflict do nothing",
            rows,
        )
        return max(cursor.rowcount, 0)


async def count(connection: Connection) -> int:
    """All of them."""
    return int((await _rows(connection, b"select count(*) from episodes"))[0][0])


async def by_text(connection: Connection, query: str, most: int) -> list[Scored]:
    """Identities and ts_rank: who has all words of QUERY, then who has some."""
    asked = words.asked(query)
    found: dict[str, float] = {}
    for joined in ("&", "|") if len(asked) > 1 else ("&",) * len(asked):
        rows = await _rows(
            connection,
            b"select identity, ts_rank(words, asked, 1) as score"
            b" from episodes, cast(%s as tsquery) as asked where words @@ asked"
            b" order by score desc, identity limit %s",
            words.tsquery(asked, joined),
            most,
        )
        for identity, score in rows:
            found.setdefault(identity, score)
        if len(found) >= most:
            break
    return list(found.items())[:most]


async def by_server(connection: Connection, vector: Vector, most: int) -> list[Scored]:
    """Identities and cosines by pgvector; by its index, unless it can't find so many."""
    if most > LARGEST_SEARCH:
        return await by_every_row(connection, vector, most)
    if most <= SEARCHED:  # as the connection is set
        return await _nearest(connection, vector, most)
    async with connection.transaction():
        query = "select set_config('hnsw.ef_search', %s, true)"
        await connection.execute(query, (str(most),))
        return await _nearest(connection, vector, most)


async def by_every_row(connection: Connection, vector: Vector, most: int) -> list[Scored]:
    """By pgvector, but without its index."""
    async with connection.transaction():
        await connection.execute("set local enable_indexscan = off")
        return await _nearest(connection, vector, most)


async def by_streaming(connection: Connection, vector: Vector, most: int) -> list[Scored]:
    """By computing here what a server without pgvector can't."""
    best: list[Scored] = []
    async with (
        connection.transaction(),
        connection.cursor("vectors", binary=True) as cursor,
    ):
        await cursor.execute("select identity, vector from episodes")
        while rows := await cursor.fetchmany(_STREAMED):
            parts: Any = list(zip(*rows, strict=True))
            scores = np.stack(parts[1]) @ vector
            best += zip(parts[0], scores.tolist(), strict=True)
            best = sorted(best, key=lambda scored: (-scored[1], scored[0]))[:most]
    return best


async def fetch(connection: Connection, identities: Sequence[str]) -> dict[str, Episode]:
    """Those that are held, by their identity."""
    query = f"select {_COLUMNS} from episodes where identity = any(%s)"  # noqa: S608
    rows = await _rows(connection, query.encode(), list(identities))
    return {row[0]: _episode(row) for row in rows}


async def known(connection: Connection, identities: Sequence[str]) -> set[str]:
    """Those of IDENTITIES that are held."""
    query = b"select identity from episodes where identity = any(%s)"
    return {row[0] for row in await _rows(connection, query, list(identities))}


async def scan(connection: Connection, after: str, most: int) -> list[Episode]:
    """By identity."""
    query = f"select {_COLUMNS} from episodes where identity > %s order by identity limit %s"  # noqa: S608
    return [_episode(row) for row in await _rows(connection, query.encode(), after, most)]


async def _nearest(connection: Connection, vector: Vector, most: int) -> list[Scored]:
    rows = await _rows(
        connection,
        b"select identity, 1 - (vector <=> %s) from episodes order by vector <=> %s limit %s",
        vector,
        vector,
        most,
    )
    return [(identity, score) for identity, score in rows]


async def _rows(connection: Connection, query: bytes, *values: object) -> list[Any]:
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


def _episode(row: Sequence[Any]) -> Episode:
    identity, at, text, affect, trace, source, vector = row
    return Episode(identity, at, text, tuple(affect), trace, source, vector)
