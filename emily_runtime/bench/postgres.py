"""Row 13: pgvector's index beside its exact scan on a server that is given, with its recall."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from emily_runtime.bench import remembered
from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.row import Row, not_run, ratio
from emily_runtime.memory.episode import Vector
from emily_runtime.memory.postgres import rows as tables
from emily_runtime.memory.postgres.pool import Connection
from emily_runtime.memory.postgres.store import PostgresStore, Settings
from emily_runtime.nerves.clock import RealClock

COUNT = 100_000
ASKED = 30
_BATCH = 1000
_GOAL, _RECALL_GOAL = 30.0, 0.98
_WHAT, _WANTED = "10 nearest of {count:,} by HNSW", "30 times, recall 0.98"
_PATIENCE = 600.0

Search = Callable[[Connection, Vector, int], Awaitable[list[tables.Scored]]]


def rows(around: Around) -> list[Row]:
    """On the server that is named, or on one of pgserver's that lives as long as this."""
    if around.dsn is not None:
        return [row(around.dsn)]
    try:
        pgserver: Any = import_module("pgserver")
    except ImportError:
        why = "no PostgreSQL was named (--dsn), and pgserver is not installed"
        return [not_run("13", _WHAT.format(count=COUNT), _WANTED, why)]
    with TemporaryDirectory() as folder:
        server = pgserver.get_server(folder)
        try:
            return [row(server.get_uri())]
        finally:
            server.cleanup()


def row(dsn: str, count: int = COUNT) -> Row:
    """In a schema of its own, which stays; some minutes, most of them for the index."""
    what = _WHAT.format(count=count)
    settings = Settings(dsn, f"bench_{count}", wait=_PATIENCE, index_from=0)
    return asyncio.run(_row(settings, what, count))


async def _row(settings: Settings, what: str, count: int) -> Row:
    store = PostgresStore(settings, RealClock())
    await store.open()
    try:
        if await store.count() < count:
            episodes = remembered.episodes(count)
            for begin in range(0, count, _BATCH):
                await store.add(episodes[begin : begin + _BATCH])
        await store.tidy()
        searched = (await store.health()).search
        if not searched.startswith("HNSW"):
            return not_run("13", what, _WANTED, searched)
        return await _compared(store, what)
    finally:
        await store.close()


async def _compared(store: PostgresStore, what: str) -> Row:
    asked = remembered.vectors(ASKED, seed=96)
    by_index: list[float] = []
    by_scan: list[float] = []
    same = 0
    for vector in asked:
        exact, scan = await _timed(store, tables.by_every_row, vector)
        found, index = await _timed(store, tables.by_server, vector)
        same += len(exact & found)
        by_scan.append(scan)
        by_index.append(index)
    recall = same / (10 * len(asked))
    times = ratio(by_scan, by_index)
    return Row(
        "13", what, f"{median(by_index) * 1000:.2f} ms, recall {recall:.3f}",
        f"exact scan {median(by_scan) * 1000:.1f} ms", str(times), _WANTED,
        times.reaches(_GOAL) and recall >= _RECALL_GOAL,
    )  # fmt: skip


async def _timed(store: PostgresStore, search: Search, vector: Vector) -> tuple[set[str], float]:
    begin = time.perf_counter()
    found = await store.run(lambda connection: search(connection, vector, 10))
    return {identity for identity, _ in found}, time.perf_counter() - begin
