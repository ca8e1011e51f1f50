"""When nothing may expire until a person has looked, and when a snapshot is due."""

from datetime import datetime, timedelta

import pytest

from emily_infra.backup.retention import Leave, Point, Reason, Times, decide, due
from tests.backup.series import EPOCH, hours, now_after


def test_a_snapshot_from_the_future_stops_everything() -> None:
    points = [*hours(30), Point("late", 999, EPOCH + timedelta(days=3652))]

    verdict = decide({"hourly": 2}, points, Times(EPOCH + timedelta(hours=31)))

    assert verdict.stop
    assert verdict.stop.reason is Reason.FUTURE
    assert "2034-02-19" in verdict.stop.message
    assert "--clock-is-right" in verdict.stop.hint


def test_a_clock_that_went_back_stops_everything() -> None:
    points = list(hours(30))
    ends = points[-1].at

    verdict = decide({"hourly": 29}, points, Times(ends, highest=ends + timedelta(minutes=6)))

    assert verdict.stop
    assert verdict.stop.reason is Reason.BACKWARDS


def test_a_clock_that_is_corrected_by_minutes_stops_nothing() -> None:
    points = list(hours(30))
    ends = points[-1].at

    verdict = decide({"hourly": 29}, points, Times(ends, highest=ends + timedelta(minutes=4)))

    assert verdict.stop is None


@pytest.mark.parametrize(
    ("period", "pause", "stops"),
    [
        ("frequent", timedelta(hours=23), False),
        ("hourly", timedelta(hours=25), True),
        ("daily", timedelta(days=9), False),
        ("daily", timedelta(days=11), True),
        ("monthly", timedelta(days=300), False),
    ],
)
def test_after_ten_periods_of_silence_a_person_is_asked(
    period: str, pause: timedelta, *, stops: bool
) -> None:
    points = list(hours(30))
    now = points[-1].at

    verdict = decide({period: 30}, points, Times(now, highest=now, last=now - pause))

    assert (verdict.stop is not None and verdict.stop.reason is Reason.PAUSE) == stops


def test_most_of_a_dataset_is_not_destroyed_without_a_word() -> None:
    points = list(hours(30))

    verdict = decide({"hourly": 2}, points, now_after(points))

    assert verdict.stop
    assert verdict.stop.reason is Reason.MANY
    assert "28 of 30" in verdict.stop.message


def test_ten_may_go_at_once_and_eleven_where_more_than_that_are_left() -> None:
    twelve, thirty = list(hours(12)), list(hours(30))

    assert decide({"hourly": 2}, twelve, now_after(twelve)).stop is None
    assert decide({"hourly": 15}, thirty, now_after(thirty)).stop is None


def test_more_than_a_hundred_never_go_at_once_without_a_word() -> None:
    points = list(hours(500))

    verdict = decide({"hourly": 399}, points, now_after(points))

    assert verdict.stop
    assert verdict.stop.reason is Reason.MANY


def test_each_word_allows_what_it_is_about_and_no_more() -> None:
    points = [*hours(30), Point("late", 999, EPOCH + timedelta(days=3652))]
    times = Times(EPOCH + timedelta(hours=31))

    clock = decide({"hourly": 2}, points, times, frozenset({Leave.CLOCK})).stop
    many = decide({"hourly": 2}, points, times, frozenset({Leave.MANY})).stop
    both = decide({"hourly": 2}, points, times, frozenset(Leave)).stop

    assert clock
    assert clock.reason is Reason.MANY
    assert many
    assert many.reason is Reason.FUTURE
    assert both is None


@pytest.mark.parametrize("counts", [{}, {"daily": 0}, {"daily": -3}])
def test_a_policy_that_keeps_nothing_destroys_nothing(counts: dict[str, int]) -> None:
    verdict = decide(counts, list(hours(3)), Times(EPOCH), frozenset(Leave))

    assert verdict.stop
    assert verdict.stop.reason is Reason.EMPTY


# --- when one is due


@pytest.mark.parametrize(
    ("counts", "last", "now", "expected"),
    [
        ({"frequent": 4}, "10:14", "10:15", True),
        ({"frequent": 4}, "10:15", "10:29", False),
        ({"hourly": 4}, "10:59", "11:00", True),
        ({"daily": 4}, "00:00", "23:59", False),
        ({}, "00:00", "23:59", False),
    ],
)
def test_one_is_due_when_a_period_has_none(
    counts: dict[str, int], last: str, now: str, *, expected: bool
) -> None:
    day = "2026-11-22T{}:00+00:00"

    found = due(counts, [datetime.fromisoformat(day.format(last))], _at(day.format(now)))

    assert found == expected


def test_a_month_that_begins_within_a_week_is_due_though_the_week_has_one() -> None:
    saturday = _at("2026-10-31T00:00:00+00:00")
    sunday = _at("2026-11-01T00:00:00+00:00")

    assert not due({"weekly": 4}, [saturday], sunday)
    assert due({"weekly": 4, "monthly": 3}, [saturday], sunday)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
