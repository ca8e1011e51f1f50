"""Whole processes are measured, ours and the peer's."""

import json

import pytest

from emily_runtime.bench import footprint
from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.row import NOT_RUN
from emily_runtime.bench.rows import GROUPS
from tests.runtime.process import run

DEMANDED = {*"1234", *map(str, range(6, 13)), "14", "15", "16", "17", "19", "22", "24"}


def test_start_memory_and_demonstration_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "STARTS", 1)
    monkeypatch.setattr(footprint, "SETTLED", 0.1)

    ready, processor, size, demo = footprint.rows(Around())

    assert ready.ours.endswith(" s")
    assert (processor.number, processor.ratio) == ("16b", NOT_RUN)  # langgraph is not there
    assert size.held
    assert (demo.number, demo.goal) == ("16d", "under 1 s")


def test_every_row_that_is_promised_is_there() -> None:
    assert {number for numbers, _ in GROUPS for number in numbers} >= DEMANDED


def test_a_row_is_printed_with_its_goal_and_whether_it_was_held() -> None:
    done = run("bench", "17", "--json")

    (row,) = json.loads(done.stdout)["rows"]
    assert row["number"] == "17"
    assert row["goal"]
    assert done.returncode == {True: 0, None: 0, False: 3}[row["held"]]
