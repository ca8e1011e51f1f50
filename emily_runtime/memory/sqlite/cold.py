"""Old texts, packed into blocks by who writes; the words' index stays as it is."""

import sqlite3
from typing import NamedTuple

from emily_runtime.memory.packing import TEXTS, pack, trained

_SAMPLE = 1024
"""Texts that a dictionary is made of."""
_PAGES = 64
"""Free pages that the file gives back with each block."""


class Packed(NamedTuple):
    """What packing came to."""

    texts: int
    before: int
    """Bytes of the texts as they were."""
    after: int
    """Bytes of the blocks, and of the dictionaries."""

    @property
    def ratio(self) -> float:
        """How many times smaller, or 1."""
        return self.before / self.after if self.after else 1.0


def pack_one(connection: sqlite3.Connection, keep: int) -> Packed:
    """A block of the oldest texts, all but the KEEP newest; of 0 texts where there's no block."""
    rows = connection.execute(
        "select number, text from episodes where block is null"
        " and number <= (select max(number) from episodes) - ? order by number limit ?",
        (keep, TEXTS),
    ).fetchall()
    if len(rows) < TEXTS:
        return Packed(0, 0, 0)
    number, phrases = _dictionary(connection)
    texts = [text for _, text in rows]
    before = sum(len(text.encode()) for text in texts)
    block = pack(texts, phrases)
    cursor = connection.execute(
        "insert into blocks (dictionary, before, texts) values (?, ?, ?)", (number, before, block)
    )
    connection.executemany(
        "update episodes set text = null, block = ?, place = ? where number = ?",
        [(cursor.lastrowid, place, row) for place, (row, _) in enumerate(rows)],
    )
    return Packed(len(rows), before, len(block))


def give_back(connection: sqlite3.Connection) -> int:
    """Shorten the file by free pages; returns how many are left."""
    connection.execute(f"pragma incremental_vacuum({_PAGES})").fetchall()
    return int(connection.execute("pragma freelist_count").fetchone()[0])


def packed(connection: sqlite3.Connection) -> Packed:
    """All blocks together."""
    row = connection.execute(
        "select coalesce(sum(before), 0), coalesce(sum(length(texts)), 0), count(*) from blocks"
    ).fetchone()
    dictionaries = connection.execute(
        "select coalesce(sum(length(phrases)), 0) from dictionaries"
    ).fetchone()
    return Packed(row[2] * TEXTS, row[0], row[1] + dictionaries[0])


def _dictionary(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """The one there is, or one that is made of the oldest texts."""
    row = connection.execute("select number, phrases from dictionaries limit 1").fetchone()
    if row is not None:
        return int(row[0]), bytes(row[1])
    sample = connection.execute(
        "select text from episodes where block is null order by number limit ?", (_SAMPLE,)
    )
    phrases = trained([text for (text,) in sample])
    cursor = connection.execute("insert into dictionaries (phrases) values (?)", (phrases,))
    return int(cursor.lastrowid or 0), phrases
