"""The tables, made once, with pgvector where the server has it."""

from typing import NamedTuple

import psycopg

from emily_runtime.memory.postgres.pool import Connection
from emily_runtime.messages import Refused

LAYOUT = 1
_LOCK = 0x454D4C59
"""EMLY: two that start at once make the tables one after the other."""
_BYTES, _VECTOR = "bytea", "vector"

_TABLES = """
create table layout (version integer not null);
create table episodes (
  identity text collate "C" primary key,
  at double precision not null,
  text text not null,
  affect double precision[] not null,
  trace text not null,
  source text not null,
  vector {vector} not null,
  words tsvector not null
);
create index episodes_words on episodes using gin (words);
insert into layout (version) values (1);
"""
INDEX = "episodes_nearest"
_BUILD = (
    b"set statement_timeout = 0",
    b"set maintenance_work_mem = '256MB'",
    b"drop index concurrently if exists episodes_nearest",  # what a broken build has left
    b"create index concurrently episodes_nearest on episodes using hnsw (vector vector_cosine_ops)",
    b"analyze episodes",
)


class Search(NamedTuple):
    """How vectors are searched here."""

    by_server: bool
    """By pgvector, not here."""
    has_index: bool
    told: str
    """The same for a person."""


async def index(connection: Connection, schema: str) -> Search:
    """HNSW where pgvector is, while others read and write; it takes minutes for millions."""
    search = await found(connection, schema)
    if search.by_server and not search.has_index:
        for statement in _BUILD:
            await connection.execute(statement)
    return await found(connection, schema)


async def prepared(connection: Connection, schema: str, place: str) -> Search:
    """What is there, made if nothing is; Refused where it is of a later release."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        if await _one(connection, "select to_regclass(%s)", f"{schema}.layout") is None:
            await _make(connection, schema)
        layout = await _one(connection, "select max(version) from layout")
    if not isinstance(layout, int) or layout > LAYOUT:
        raise Refused("EMY-4004", place=place, found=layout, known=LAYOUT)
    return await found(connection, schema)


async def vector_type(connection: Connection, schema: str) -> int | None:
    """The number of pgvector's type, if the table has it; numbers differ between servers."""
    found = await _one(
        connection,
        "select atttypid::bigint from pg_attribute join pg_type on pg_type.oid = atttypid"
        " where attrelid = to_regclass(%s) and attname = 'vector' and typname = 'vector'",
        f"{schema}.episodes",
    )
    return found if isinstance(found, int) else None


async def _make(connection: Connection, schema: str) -> None:
    if await _one(connection, "select to_regnamespace(%s)", schema) is None:
        await connection.execute(psycopg.sql.SQL("create schema {}").format(_name(schema)))
    kind = f"{_VECTOR}(256)" if await _has_pgvector(connection) else _BYTES
    tables = psycopg.sql.SQL(_TABLES).format(vector=psycopg.sql.SQL(kind))
    await connection.execute(tables)


async def _has_pgvector(connection: Connection) -> bool:
    """Whether it is enabled, or can be by us."""
    if not await _one(connection, "select 1 from pg_available_extensions where name = 'vector'"):
        return False
    try:
        async with connection.transaction():
            await connection.execute("create extension if not exists vector schema public")
    except psycopg.errors.InsufficientPrivilege:
        return False
    # the first release with HNSW
    hnsw = "select 1 from pg_am where amname = 'hnsw'"
    return await _one(connection, hnsw) is not None


async def found(connection: Connection, schema: str) -> Search:
    """How vectors are searched in what is there."""
    version = await _one(connection, "select extversion from pg_extension where extname = 'vector'")
    if await vector_type(connection, schema) is not None:
        valid = "select indisvalid from pg_index where indexrelid = to_regclass(%s)"
        if await _one(connection, valid, f"{schema}.{INDEX}"):
            return Search(by_server=True, has_index=True, told=f"HNSW (pgvector {version})")
        return Search(by_server=True, has_index=False, told=f"exact scan by pgvector {version}")
    if version is not None:
        return _exact("the table was made before pgvector was here; migrate into a new schema")
    if await _one(connection, "select 1 from pg_available_extensions where name = 'vector'"):
        return _exact("a superuser has to enable pgvector: create extension vector")
    return _exact("the server has no pgvector")


def _exact(why: str) -> Search:
    return Search(by_server=False, has_index=False, told=f"exact scan: {why}")


def _name(schema: str) -> psycopg.sql.Identifier:
    return psycopg.sql.Identifier(schema)


async def _one(connection: Connection, query: str, *values: object) -> object:
    """The first value of the first row, or None."""
    row = await (await connection.execute(query.encode(), values)).fetchone()
    return row[0] if row else None
