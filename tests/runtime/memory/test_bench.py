"""The rows of the benchmark run, small; what they are held to is measured elsewhere."""

import sys

import numpy as np
import pytest

from emily_runtime.bench import memory, postgres, remembered
from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.row import NOT_RUN
from tests.runtime.memory.servers import Server


def test_every_row_of_memory_says_what_was_measured() -> None:
    rows = list(memory.rows(Around(), {500: 8.0}))

    assert {row.number for row in rows} == {"12"}
    assert all(any(figure.isdigit() for figure in row.ours) for row in rows)
    assert [row.held for row in rows if "recall" in row.what] == [True]


def test_the_row_of_pgvector_is_measured_on_a_server_that_is_named(pgvector: Server) -> None:
    row = postgres.row(pgvector.dsn, count=1000)

    assert row.number == "13"
    assert "recall" in row.ours


def test_without_a_server_the_row_of_pgvector_was_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pgserver", None)

    [row] = postgres.rows(Around())

    assert (row.ours, row.held) == (NOT_RUN, None)
    assert "--dsn" in row.peer


def test_what_is_drawn_is_the_same_every_time_and_of_length_1() -> None:
    first, again = remembered.episodes(300), remembered.episodes(300)

    assert [one.identity for one in first] == [one.identity for one in again]
    assert np.array_equal(first[7].vector, again[7].vector)
    assert len({one.identity for one in (*first, *remembered.episodes(9, seed=2))}) == 309
