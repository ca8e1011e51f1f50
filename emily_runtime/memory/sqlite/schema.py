"""The tables, and connections to them."""

import sqlite3
from enum import StrEnum
from pathlib import Path

from emily_runtime.messages import Refused

APPLICATION = 0x454D4C59
"""EMLY, in the file's header, where file(1) finds it."""
LAYOUT = 1

_TABLES = """
create table dictionaries (number integer primary key, phrases blob not null) strict;
create table blocks (
  number integer primary key,
  dictionary integer not null references dictionaries (number),
  before integer not null,
  texts blob not null
) strict;
create table episodes (
  number integer primary key,
  identity text not null unique,
  at real not null,
  text text,
  block integer,
  place integer,
  affect blob not null check (length(affect) = 40),
  trace text not null,
  source text not null,
  vector blob not null check (length(vector) = 1024),
  check ((text is null) = (block is not null and place is not null))
) strict;
create virtual table words using fts5 (text, content = '', tokenize = 'ascii');
"""


class Durability(StrEnum):
    """What a committed episode outlives."""

    PROCESS = "process"
    """The death of the process; a power cut may take the last commits."""
    POWER = "power"
    """A power cut, too: each commit waits for the disk."""


_SYNCHRONOUS = {Durability.PROCESS: "normal", Durability.POWER: "full"}


def writer(file: Path, durability: Durability, busy: float) -> sqlite3.Connection:
    """A connection that writes, waiting up to BUSY seconds; tables are made in an empty file."""
    connection = _connected(str(file), busy, uri=False)
    try:
        connection.execute("pragma auto_vacuum = incremental")  # before the first table only
        _check(connection, file)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma journal_size_limit = 67108864")
        connection.execute(f"pragma synchronous = {_SYNCHRONOUS[durability]}")
        _make(connection)
    except (sqlite3.Error, Refused):
        connection.close()
        raise
    return connection


def reader(file: Path, busy: float) -> sqlite3.Connection:
    """A connection that can't write."""
    connection = _connected(f"{file.absolute().as_uri()}?mode=ro", busy, uri=True)
    connection.execute("pragma query_only = on")
    return connection


def _connected(database: str, busy: float, *, uri: bool) -> sqlite3.Connection:
    return sqlite3.connect(
        database, timeout=busy, isolation_level=None, check_same_thread=False, uri=uri
    )


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"pragma {pragma}").fetchone()[0])


def _check(connection: sqlite3.Connection, file: Path) -> None:
    """Refused where the file is somebody else's, or of a later release."""
    if not _number(connection, "schema_version"):
        return
    if _number(connection, "application_id") != APPLICATION:
        raise Refused("EMY-4009", place=file, reason="its tables are not ours")
    layout = _number(connection, "user_version")
    if layout > LAYOUT:
        raise Refused("EMY-4004", place=file, found=layout, known=LAYOUT)


def _make(connection: sqlite3.Connection) -> None:
    if _number(connection, "schema_version"):
        return
    connection.execute("begin immediate")
    try:
        if not _number(connection, "schema_version"):  # two may start at once
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"pragma application_id = {APPLICATION}")
            connection.execute(f"pragma user_version = {LAYOUT}")
        connection.execute("commit")
    except sqlite3.Error:
        connection.execute("rollback")
        raise
