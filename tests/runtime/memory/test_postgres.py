"""PostgreSQL away, back, frozen, full of locks or of a later release; with an index and without."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import numpy as np
import psycopg
import pytest

from emily_runtime.memory.embedding import embed
from emily_runtime.memory.postgres.store import PostgresStore, Settings, described
from emily_runtime.memory.store import Store
from emily_runtime.messages import Refused
from emily_runtime.nerves.clock import RealClock
from tests.runtime.memory.conftest import on
from tests.runtime.memory.episodes import episode, run, series
from tests.runtime.memory.servers import Reachable, Server, served, with_pgvector

PATIENT = 60.0
"""Seconds; nothing here waits so long unless the machine is very busy."""


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that the tests here may stop."""
    with served(with_pgvector()) as server:
        yield server


def statement(server: Reachable, *statements: str) -> None:
    """As the superuser."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        for one in statements:
            connection.execute(one.encode())


def test_the_index_finds_nearly_all_that_an_exact_search_finds(pgvector: Reachable) -> None:
    added = series(400)
    asked = [embed(text) for text in ("disk sda failed", "latency of the uplink", "bay 3 hot")]

    async def story(store: Store) -> tuple[str, list[set[str]]]:
        await store.add(added)
        await store.tidy()
        found = [await store.by_vector(vector, 10) for vector in asked]
        return (await store.health()).search, [{one.episode.identity for one in f} for f in found]

    search, found = run(on(pgvector, index_from=100), story)

    matrix = np.stack([one.vector for one in added])
    exact = [[added[i].identity for i in np.argsort(-(matrix @ v))[:10]] for v in asked]
    assert search.startswith("HNSW (pgvector ")
    assert sum(len(f.intersection(e)) for f, e in zip(found, exact, strict=True)) >= 29


def test_with_few_episodes_an_index_is_not_made(pgvector: Reachable) -> None:
    async def story(store: Store) -> str:
        await store.add(series(3))
        await store.tidy()
        return (await store.health()).search

    assert run(on(pgvector), story).startswith("exact scan by pgvector")


def test_where_there_is_no_pgvector_health_says_so(plain: Server) -> None:
    async def story(store: Store) -> str:
        return (await store.health()).search

    assert run(on(plain), story) == "exact scan: the server has no pgvector"


def test_where_pgvector_waits_for_a_superuser_health_says_what_to_type(own: Server) -> None:
    statement(own, "drop extension if exists vector cascade", "create role lowly login")
    statement(own, "create database small owner lowly")
    me = psycopg.conninfo.conninfo_to_dict(own.dsn)["user"]
    (own.folder / "data/pg_ident.conf").write_text(f"tests {me} lowly\ntests {me} {me}\n")
    (own.folder / "data/pg_hba.conf").write_text("local all all peer map=tests\n")
    statement(own, "select pg_reload_conf()")
    dsn = f"host={own.folder} dbname=small user=lowly"

    async def story(store: Store) -> tuple[str, list[float]]:
        await store.add([episode(1, "a b c d")])
        found = await store.by_vector(embed("a b c d"), 1)
        return (await store.health()).search, [one.score for one in found]

    search, scores = run(lambda: _store(Settings(dsn, wait=PATIENT)), story)

    assert search == "exact scan: a superuser has to enable pgvector: create extension vector"
    assert scores == [pytest.approx(1)]


def test_after_the_server_was_killed_and_restarted_it_is_used_again(own: Server) -> None:
    async def story(store: Store) -> tuple[list[str], int]:
        await asyncio.gather(*(store.add([one]) for one in series(20)))
        own.stop()
        codes = [await _code(store), await _code(store), await _code(store)]
        own.start()
        await asyncio.sleep(0.05)  # the rest of the breaker
        return codes, await store.count()

    codes, count = run(on(own, failures=2, rest=0.01), story)

    assert count == 20
    assert codes[:2] == ["EMY-4020", "EMY-4020"]


def test_while_it_is_away_it_is_left_alone_and_health_says_so(own: Server) -> None:
    async def story(store: Store) -> tuple[list[str], bool, str]:
        own.stop()
        codes = [await _code(store) for _ in range(4)]
        health = await store.health()
        return codes, health.well, health.why

    try:
        codes, well, why = run(on(own, failures=2, rest=600), story)
    finally:
        own.start()

    assert codes == ["EMY-4020", "EMY-4020", "EMY-5001", "EMY-5001"]
    assert not well
    assert "left alone (open)" in why


def test_a_connection_that_is_cut_is_replaced_without_a_word(own: Server) -> None:
    async def story(store: Store) -> int:
        await asyncio.gather(*(store.add([one]) for one in series(8)))
        statement(
            own,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'emily-runtime'",
        )
        return await store.count()

    assert run(on(own), story) == 8


def test_a_frozen_server_costs_no_more_than_the_wait(own: Server) -> None:
    async def story(store: Store) -> tuple[str, float, int]:
        await store.add(series(2))
        os.kill(backend(own), signal.SIGSTOP)
        begin = time.monotonic()
        try:
            code = await _code(store)
            took = time.monotonic() - begin
        finally:
            for pid in backends(own):
                os.kill(pid, signal.SIGCONT)
        return code, took, await store.count()

    code, took, count = run(on(own, wait=4.0, connections=1), story)

    assert (code, count) == ("EMY-4007", 2)
    assert took < 20


def test_a_lock_that_is_held_too_long_is_said_by_the_server(own: Server) -> None:
    async def story(store: PostgresStore) -> str:
        schema = store._settings.schema
        with psycopg.connect(own.dsn) as other:
            other.execute(f"lock table {schema}.episodes".encode())
            return await _code(store)

    make = on(own, wait=4.0)

    assert run(make, story) in ("EMY-4022", "EMY-4007")  # type: ignore[arg-type]


def test_more_calls_than_connections_wait_their_turn(pgvector: Reachable) -> None:
    async def story(store: Store) -> int:
        await asyncio.gather(*(store.add([one]) for one in series(60)))
        return await store.count()

    assert run(on(pgvector, connections=2), story) == 60


def test_a_cancelled_call_leaves_no_connection_behind(pgvector: Reachable) -> None:
    async def story(store: Store) -> int:
        for one in series(10):
            task = asyncio.ensure_future(store.add([one]))
            await asyncio.sleep(0.001)
            task.cancel()
        await asyncio.sleep(0)
        return await store.add(series(10)) * 0 + await store.count()

    assert run(on(pgvector, connections=2), story) == 10


def test_the_layout_of_a_later_release_is_refused(pgvector: Reachable) -> None:
    make = on(pgvector)

    async def later(store: PostgresStore) -> None:
        statement(pgvector, f"update {store._settings.schema}.layout set version = 99")

    run(make, later)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="EMY-4004"):
        run(make, lambda store: store.count())


def test_a_server_that_can_only_be_read_is_said(pgvector: Reachable) -> None:
    make = on(pgvector)
    run(make, lambda store: store.add(series(1)))

    async def story() -> str:
        settings = make()._settings  # type: ignore[attr-defined]
        read_only = f"{settings.dsn} options='-c default_transaction_read_only=on'"
        store = _store(Settings(read_only, schema=settings.schema, wait=PATIENT))
        await store.open()
        with pytest.raises(Refused) as why:
            await store.add(series(2))
        await store.close()
        return why.value.code

    assert asyncio.run(story()) == "EMY-4026"


def test_who_is_not_let_in_is_told_about_peer_authentication(pgvector: Reachable) -> None:
    stranger = pgvector.dsn.replace("user=", "user=not_")

    with pytest.raises(Refused, match="EMY-4021") as why:
        run(lambda: _store(Settings(stranger)), lambda store: store.count())

    assert "createuser" in why.value.told("en")


def test_a_password_is_told_to_nobody() -> None:
    url = "postgresql://me:hidden@db.example/minds"

    assert described(Settings(url)) == "postgresql minds (db.example), schema emily"


def backends(server: Server) -> list[int]:
    """The processes that serve the runtime."""
    listed = subprocess.check_output(["ps", "-o", "pid=,args=", "--ppid", str(server.pid)])
    return [int(line.split()[0]) for line in listed.splitlines() if b"[local]" in line]


def backend(server: Server) -> int:
    """The only one."""
    (pid,) = backends(server)
    return pid


def _store(settings: Settings) -> PostgresStore:
    return PostgresStore(settings, RealClock())


async def _code(store: Store) -> str:
    try:
        await store.count()
    except Refused as refused:
        return refused.code
    return ""
