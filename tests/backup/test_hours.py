"""The hours in which copies may run, and what is left out of them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from emily_infra.backup.hours import closes, opens
from emily_infra.backup.restic.patterns import below

NIGHT = (22 * 60, 6 * 60)
WORK = (8 * 60 + 30, 17 * 60)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        (NIGHT, at(1, 22), datetime(2026, 6, 2, 6, tzinfo=UTC)),
        (NIGHT, at(2, 5, 59), datetime(2026, 6, 2, 6, tzinfo=UTC)),
        (WORK, at(1, 8, 30), datetime(2026, 6, 1, 17, tzinfo=UTC)),
        (None, at(1, 12), None),
    ],
)  # fmt: skip
def test_a_copy_may_run_until_its_hours_end(
    hours: tuple[int, int] | None, now: datetime, end: datetime | None
) -> None:
    assert opens(hours, now) is None
    assert closes(hours, now) == end


@pytest.mark.parametrize(
    ("hours", "now", "begin"),
    [
        (NIGHT, at(1, 6), datetime(2026, 6, 1, 22, tzinfo=UTC)),
        (NIGHT, at(1, 21, 59), datetime(2026, 6, 1, 22, tzinfo=UTC)),
        (WORK, at(1, 17), datetime(2026, 6, 2, 8, 30, tzinfo=UTC)),
        (WORK, at(1, 3), datetime(2026, 6, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_outside_of_its_hours_none_begins(
    hours: tuple[int, int], now: datetime, begin: datetime
) -> None:
    assert opens(hours, now) == begin
    assert closes(hours, now) is None


def test_patterns_are_anchored_where_the_snapshots_are_shown() -> None:
    patterns = ["/srv/code/**/.venv", "*.tmp"]

    assert below(Path("/run/emily/[1]"), patterns) == [
        r"/run/emily/\[1\]/srv/code/**/.venv",
        r"/run/emily/\[1\]/**/*.tmp",
    ]
