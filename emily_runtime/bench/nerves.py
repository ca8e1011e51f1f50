"""Rows 2 to 5 and 11: the nervous system."""

from emily_runtime.bench import organising, recovery, streams
from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.row import Row


def rows(around: Around) -> list[Row]:
    """All of them, in two minutes or less."""
    return [*streams.rows(around), *organising.rows(around), *recovery.rows()]
