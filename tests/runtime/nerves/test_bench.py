"""The rows are measured on runs that lose nothing, whatever the figures are."""

import pytest

from emily_runtime.bench import nerves, organising, recovery, streams


def test_every_row_is_measured_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "ITEMS", 1_024)
    monkeypatch.setattr(recovery, "FAILURES", 20)
    monkeypatch.setattr(recovery, "KILLS", 2)
    monkeypatch.setattr(recovery, "SPAWNS", 1)

    rows = nerves.rows()

    assert [row.number for row in rows] == ["2", "2b", "2c", "3", "11", "11b", "4", "5", "5b"]
    assert all(row.ours and row.peer and row.goal for row in rows)


def test_a_planted_graph_is_the_same_every_time() -> None:
    assert organising.planted(1) == organising.planted(1)
    assert organising.planted(1) != organising.planted(2)
