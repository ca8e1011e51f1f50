"""Episodes as rows, and rows found again: plain functions of a connection."""

import sqlite3
import struct
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from emily_runtime.memory import words
from emily_runtime.memory.episode import Episode, Vector
from emily_runtime.memory.packing import unpack
from emily_runtime.memory.vectors import Vectors

Row: TypeAlias = tuple[Any, ...]

_AFFECT = struct.Struct("<5d")
_COLUMNS = "number, identity, at, text, block, place, affect, trace, source, vector"
_VARIABLES = 500
"""Values of one statement; SQLite takes at least 999."""
LOADED = 4096
"""Vectors that are read at a time."""


def insert(connection: sqlite3.Connection, episodes: Sequence[Episode]) -> int:
    """How many were new."""
    new = 0
    for one in episodes:
        cursor = connection.execute(
            "insert into episodes (identity, at, text, affect, trace, source, vector)"
            " values (?, ?, ?, ?, ?, ?, ?) on conflict (identity) do nothing",
            (one.identity, one.at, one.text, _AFFECT.pack(*one.affect), one.trace, one.source,
             one.vector.astype("<f4").tobytes()),
        )  # fmt: skip
        if cursor.rowcount:
            new += 1
            connection.execute(
                "insert into words (rowid, text) values (?, ?)",
                (cursor.lastrowid, " ".join(words.words(one.text))),
            )
    return new


def count(connection: sqlite3.Connection) -> int:
    """All of them."""
    return int(connection.execute("select count(*) from episodes").fetchone()[0])


def last(connection: sqlite3.Connection) -> int:
    """The highest number: as many as there are, since none is ever deleted."""
    return int(connection.execute("select coalesce(max(number), 0) from episodes").fetchone()[0])


def by_text(connection: sqlite3.Connection, query: str, most: int) -> list[tuple[int, float]]:
    """Numbers and bm25 (higher is better): who has all words of QUERY, then who has some."""
    asked = words.asked(query)
    found: dict[int, float] = {}
    for joined in ("AND", "OR") if len(asked) > 1 else ("AND",) * len(asked):
        rows = connection.execute(
            "select rowid, -rank from words where words match ? order by rank, rowid limit ?",
            (words.fts5(asked, joined), most),
        )
        for number, score in rows:
            found.setdefault(number, score)
        if len(found) >= most:
            break
    return list(found.items())[:most]


def by_vector(
    connection: sqlite3.Connection, vectors: Vectors, vector: Vector, most: int
) -> list[tuple[int, float]]:
    """Numbers and cosines; where old vectors are rounded, the best are looked at in full."""
    near = vectors.nearest(vector, most)
    if not near.cold.any():
        return list(zip(near.numbers.tolist(), near.scores.tolist(), strict=True))
    near = vectors.nearest(vector, max(4 * most, 40))
    numbers = near.numbers.tolist()
    scores = dict(zip(numbers, near.scores.tolist(), strict=True))
    for number, blob in _by_number(connection, "number, vector", near.numbers[near.cold].tolist()):
        scores[number] = float(np.frombuffer(blob, dtype="<f4") @ vector)
    return sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))[:most]


def load(connection: sqlite3.Connection, vectors: Vectors) -> None:
    """Whatever has been written since the last time, by any process."""
    while rows := connection.execute(
        "select number, vector from episodes where number > ? order by number limit ?",
        (vectors.last, LOADED),
    ).fetchall():
        numbers = np.array([number for number, _ in rows], dtype=np.int64)
        whole = np.frombuffer(b"".join(vector for _, vector in rows), dtype="<f4")
        vectors.add(numbers, whole.reshape(len(rows), -1))


def fetch(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, Episode]:
    """Episodes by their number."""
    return dict(_decoded(connection, _by_number(connection, _COLUMNS, numbers)))


def tidy(connection: sqlite3.Connection) -> None:
    """Merge what was written piece by piece."""
    connection.execute("insert into words (words) values ('optimize')")
    connection.execute("pragma optimize")


def known(connection: sqlite3.Connection, identities: Sequence[str]) -> dict[str, int]:
    """The numbers of those that are held."""
    found: dict[str, int] = {}
    for begin in range(0, len(identities), _VARIABLES):
        part = identities[begin : begin + _VARIABLES]
        marks = ", ".join("?" * len(part))
        asked = f"select identity, number from episodes where identity in ({marks})"  # noqa: S608
        found |= dict(connection.execute(asked, part))
    return found


def scan(connection: sqlite3.Connection, after: str, most: int) -> list[Episode]:
    """By identity."""
    rows = connection.execute(
        f"select {_COLUMNS} from episodes where identity > ? order by identity limit ?",  # noqa: S608
        (after, most),
    ).fetchall()
    return [episode for _, episode in _decoded(connection, rows)]


def _by_number(connection: sqlite3.Connection, columns: str, numbers: Sequence[int]) -> list[Row]:
    rows: list[Row] = []
    for begin in range(0, len(numbers), _VARIABLES):
        part = numbers[begin : begin + _VARIABLES]
        marks = ", ".join("?" * len(part))
        asked = f"select {columns} from episodes where number in ({marks})"  # noqa: S608
        rows += connection.execute(asked, part)
    return rows


def _decoded(connection: sqlite3.Connection, rows: Sequence[Row]) -> list[tuple[int, Episode]]:
    packed = _unpacked(connection, {row[4] for row in rows if row[4] is not None})
    return [_episode(row, packed) for row in rows]


def _episode(row: Row, packed: Mapping[int, list[str]]) -> tuple[int, Episode]:
    number, identity, at, text, block, place, affect, trace, source, vector = row
    if block is not None:
        text = packed[block][place]
    levels = _AFFECT.unpack(affect)
    whole = np.frombuffer(vector, dtype="<f4")
    return number, Episode(identity, at, text, levels, trace, source, whole)


def _unpacked(connection: sqlite3.Connection, blocks: set[int]) -> dict[int, list[str]]:
    texts = {}
    for block in blocks:
        packed, phrases = connection.execute(
            "select texts, phrases from blocks join dictionaries"
            " on dictionaries.number = dictionary where blocks.number = ?",
            (block,),
        ).fetchone()
        texts[block] = unpack(packed, phrases)
    return texts
