"""One `restic backup`: its arguments, what is heard of it, and how that is shown."""

import io
import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from rich.console import Console

from emily_infra.backup.copying import NAMED, Heard, Order
from emily_infra.backup.figures import figures
from emily_infra.backup.ledger import Copy, Counted, Ledger, Taken
from emily_infra.backup.progress import Going
from emily_infra.backup.restic.messages import parse
from emily_infra.cli.backup.watching import EVERY, Lines, bar, words

SOURCE = Path("/run/emily/snapshot")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def said(heard: Heard, **message: object) -> None:
    """A line of restic's."""
    heard.hear(parse(json.dumps(message).encode()))


def test_the_time_of_a_copy_is_told_in_utc() -> None:
    local = NOON.astimezone(timezone(timedelta(hours=2)))

    assert Order((), local).words()[:2] == ("--time", "2026-06-01 12:00:00")


def test_paths_are_never_taken_for_options() -> None:
    order = Order((SOURCE / "srv",), NOON, exclude=("-x",), parent="ab12")

    assert order.words()[2:] == (
        "--parent", "ab12", "--exclude", "-x", "--",
        "/run/emily/snapshot/srv",
    )  # fmt: skip


def test_trouble_is_told_at_once_and_only_so_many_files_are_named() -> None:
    told: list[int] = []
    heard = Heard(SOURCE, on_trouble=lambda: told.append(1))

    for number in range(NAMED + 5):
        said(heard, message_type="error", during="archival", item=f"{SOURCE}/f{number}")

    assert (heard.unreadable, len(heard.names), told) == (NAMED + 5, NAMED, [1])
    assert heard.names[0] == "/f0"


def test_a_file_that_the_first_look_missed_is_counted_once() -> None:
    heard = Heard(SOURCE)

    said(heard, message_type="error", during="scan", item="/x")

    assert heard.unreadable == 0


def test_the_summary_says_what_was_copied() -> None:
    heard = Heard(SOURCE)

    said(heard, message_type="summary", snapshot_id="ab", total_files_processed=3,
         total_bytes_processed=9, data_added=8, data_added_packed=5)  # fmt: skip

    assert (heard.id, heard.counted) == ("ab", Counted(files=3, bytes=9, added=5))


@pytest.mark.parametrize("message", [{}, {"message_type": "new"}, {"message_type": "status"}])
def test_messages_of_another_version_do_no_harm(message: dict[str, object]) -> None:
    heard = Heard(SOURCE)

    said(heard, **message)

    assert heard.counted is None


def copy(day: int, verdict: str, **more: object) -> Copy:
    time = NOON + timedelta(days=day)
    taken = {"t/a": Taken(name="x", guid=1, creation=time), "o/b": Taken(name="x", guid=2,
             creation=time - timedelta(hours=3))}  # fmt: skip
    data = {"id": str(day), "origin": str(day), "time": time, "ended": time, "snapshots": taken}
    return Copy.model_validate({**data, "verdict": verdict, **more})


def sampled(ledger: Ledger) -> dict[str, float]:
    return {each.series: each.value for each in figures("shed", ledger)}


def test_success_is_as_old_as_the_oldest_snapshot_of_the_newest_good_copy() -> None:
    found = sampled(Ledger(copies=(copy(1, "good"), copy(2, "partial", unreadable=4))))

    success = NOON + timedelta(days=1, hours=-3)
    assert found["emily_backup_last_success_timestamp_seconds"] == success.timestamp()
    assert found["emily_backup_incomplete"] == 1
    assert found["emily_backup_files_failed"] == 4


@pytest.mark.parametrize(
    ("ledger", "incomplete"),
    [
        (Ledger(copies=(copy(1, "good"),)), 0),
        (Ledger(copies=(copy(1, "good"),), unfinished=NOON), 1),
        (Ledger(copies=(copy(1, "shrunk"),)), 1),
        (Ledger(), 1),
    ],
)
def test_only_a_whole_copy_is_complete(ledger: Ledger, incomplete: int) -> None:
    assert sampled(ledger)["emily_backup_incomplete"] == incomplete


def test_a_journal_gets_a_line_every_half_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter(range(100))
    lines = Lines("shed", clock=lambda: float(next(clock)))

    for second in range(80):
        lines.hear(Going(second * 1000, 100_000, second, 100, "/srv/a\nb"))

    said = capsys.readouterr().err.splitlines()
    assert len(said) == int(80 // EVERY)
    assert said[0] == (
        "shed: 29 %, 29.0 KB of 100.0 KB, 966 B/s, 1 min left, 29 of 100 files; /srv/a b"
    )


def test_before_the_whole_is_known_no_percentage_is_made_up() -> None:
    assert words(Going(5000, 0, 7), 10.0) == "5.0 KB so far, 500 B/s, 7 files"


def test_the_bar_fits_a_terminal_of_80_columns() -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=80, force_terminal=True, color_system=None)

    with bar("shed", console) as told:
        told(Going(4 * 10**12, 10**13, 10**6, 10**7, "/srv/" + "long/" * 40 + "\x1b[31mfile"))

    assert "\x1b[31m" not in screen.getvalue()
    shown = [line for line in screen.getvalue().replace("\r", "\n").split("\n") if "40 %" in line]
    assert shown
    assert all(len(line.split("\x1b")[0]) <= 80 for line in shown)


def test_a_person_sees_the_bar_and_the_journal_does_not() -> None:
    code = (
        "from emily_infra.cli.backup.watching import going\n"
        "from emily_infra.backup.progress import Going\n"
        "with going('shed') as told: told(Going(1, 2, 1, 2, '/srv/file'))"
    )
    master, slave = pty.openpty()

    subprocess.run([sys.executable, "-c", code], stderr=slave, check=True)
    os.close(slave)
    silent = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert b"50 %" in os.read(master, 65536)
    assert silent.stderr == b""
    os.close(master)
