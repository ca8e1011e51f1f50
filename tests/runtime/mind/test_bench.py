"""What is measured of the mind: each row says what, beside what, and whether its goal is held."""

import pytest

from emily_runtime.bench import choosing, counting, hypothesising, thinking
from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.row import NOT_RUN


def test_the_rows_of_the_mind_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinking, "STIMULI", 200)
    monkeypatch.setattr(thinking, "CYCLES", 10)
    monkeypatch.setattr(choosing, "DECISIONS", 2)

    rows = [*thinking.rows(), *choosing.rows(Around()), *counting.rows()]

    decisions = ["7-16", "7-64", "7-256"]
    assert [row.number for row in rows] == ["1", "10a", "10b", *decisions * 3, "17"]
    assert (rows[6].ours, rows[6].held) == (NOT_RUN, None)  # pymdp is no dependency of ours
    assert all(row.what and row.ours and row.peer and row.goal for row in rows)


def test_draws_are_as_varied_as_the_formula_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypothesising, "RUNS", 50)

    assert hypothesising.varied().held
