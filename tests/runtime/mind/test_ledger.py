"""What durable topics said outlives the run; a full disk costs the oldest of what waits."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from emily_runtime.config.sections import TOPICS
from emily_runtime.messages import Refused
from emily_runtime.mind import ledger as ledgers
from emily_runtime.mind.acting import ALERT
from emily_runtime.mind.anatomy import PARTS
from emily_runtime.mind.ledger import KEPT, NAME, WAITING, Ledger
from emily_runtime.mind.runtime import Runtime
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.nerves.bus import Message
from tests.runtime.mind.runtimes import lived


def said(ledger: Ledger, *numbers: int, topic: str = "alert") -> None:
    for number in numbers:
        ledger.take(ledger.row(Message(number, topic, 0, "t", {"number": number})))


def at(folder: Path, run: str) -> Ledger:
    return Ledger(folder, run, lambda: 1.7e9)


def after(ledger: Ledger, run: str, sequence: int, most: int = 100) -> list[tuple[str, int]]:
    found = asyncio.run(ledger.after(run, sequence, most))
    return [(row.run, row.sequence) for row in found]


def test_what_a_run_said_is_there_for_the_next_one_in_order(tmp_path: Path) -> None:
    first, second = at(tmp_path, "first"), at(tmp_path, "second")
    said(first, 3, 8, 9)
    asyncio.run(first.close())
    asyncio.run(first.write())
    said(second, 0, 1)

    assert after(second, "first", 3) == [("first", 8), ("first", 9), ("second", 0), ("second", 1)]
    assert after(second, "first", 5)[0] == ("first", 8)
    assert after(second, "first", -1, most=2) == [("second", 0), ("second", 1)]
    assert after(second, "nobody", 0) == []


def test_what_waits_for_the_disk_is_bounded_and_the_loss_counted(tmp_path: Path) -> None:
    ledger = at(tmp_path, "run")

    said(ledger, *range(WAITING + 5))

    assert ledger.lost == 5
    assert after(ledger, "run", 0, most=1) == [("run", WAITING + 4)]


def test_where_the_disk_takes_nothing_it_waits_and_is_kept_later(tmp_path: Path) -> None:
    ledger = at(tmp_path, "run")
    (tmp_path / NAME).mkdir()
    said(ledger, 1)

    with pytest.raises(Refused, match="EMY-4002"):
        asyncio.run(ledger.write())
    (tmp_path / NAME).rmdir()

    assert after(ledger, "run", 0) == [("run", 1)]


def test_what_comes_while_the_disk_is_busy_waits_for_the_next_time(tmp_path: Path) -> None:
    ledger = at(tmp_path, "run")
    said(ledger, 0)
    asyncio.run(ledger.write())
    other = sqlite3.connect(tmp_path / NAME, isolation_level=None, check_same_thread=False)

    async def busy() -> None:
        other.execute("begin immediate")
        said(ledger, 1)
        writing = asyncio.create_task(ledger.write())
        await asyncio.sleep(0.1)
        said(ledger, *range(2, 2 + WAITING))
        other.rollback()
        await writing

    asyncio.run(busy())

    assert len(after(ledger, "run", 0, most=2 * WAITING)) == 1 + WAITING
    assert ledger.lost == 0


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEPT == 100_000
    monkeypatch.setattr(ledgers, "KEPT", 3)
    ledger = at(tmp_path, "run")

    said(ledger, *range(10))

    assert after(ledger, "run", -1) == [("run", 7), ("run", 8), ("run", 9)]


def test_an_alert_outlives_the_runtime_and_ran_through_the_chain(tmp_path: Path) -> None:
    runs: list[str] = []

    async def alarm(runtime: Runtime) -> None:
        runs.append(runtime.run)
        await runtime.stimulate(Stimulus("disk 3 failed"))
        await asyncio.sleep(0.01)
        assert b"emily_pipeline_ops_total 1.0" in await runtime.exposition()
        assert b"emily_pipeline_overhead_ratio NaN" not in await runtime.exposition()

    async def look(runtime: Runtime) -> None:
        (row,) = await runtime.said_since(runs[0], 0)
        assert (row.run, row.topic) == (runs[0], ALERT)
        assert b"disk 3 failed" in row.payload
        assert runtime.run != runs[0]

    lived(tmp_path, alarm)
    lived(tmp_path, look)


def test_the_metrics_tell_what_gave_way_before_it_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emily_runtime.mind.ledger.WAITING", 0)

    async def alarm(runtime: Runtime) -> None:
        await runtime.stimulate(Stimulus("disk 3 failed"))
        await asyncio.sleep(0.01)
        assert b"emily_bus_unkept_total 1.0" in await runtime.exposition()

    lived(tmp_path, alarm)


def test_without_durable_topics_nothing_is_kept(tmp_path: Path) -> None:
    async def alarm(runtime: Runtime) -> None:
        await runtime.stimulate(Stimulus("disk 3 failed"))
        assert "noting" not in str(runtime.topology().order)

    lived(tmp_path, alarm, text="[bus]\ndurable = []\n")

    assert not (tmp_path / NAME).exists()


def test_all_that_can_be_kept_is_said_by_some_part() -> None:
    said = {topic for part in PARTS for topic in part.produces}

    assert set(TOPICS) == {topic for topic in said if not topic.startswith("mind.")}


def test_the_file_is_an_ordinary_one(tmp_path: Path) -> None:
    ledger = at(tmp_path, "run")
    said(ledger, 7)
    asyncio.run(ledger.write())
    asyncio.run(ledger.close())

    rows = sqlite3.connect(tmp_path / NAME).execute("select topic, at, payload from said")

    assert rows.fetchall() == [("alert", 1.7e9, b'{"number":7}')]
