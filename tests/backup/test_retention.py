"""Retention over years: missed runs, wrong clocks, leap days, and a rule written a second time."""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.backup.retention import Gap, Point, decide, kept, uncopied
from tests.backup.series import EPOCH, hours, now_after, series

WORDS = {
    "frequent": "%Y-%m-%d %H",
    "hourly": "%Y-%m-%d %H",
    "daily": "%Y-%m-%d",
    "weekly": "%G-W%V",
    "monthly": "%Y-%m",
    "yearly": "%Y",
}
POLICY = {"hourly": 24, "daily": 7, "weekly": 4, "monthly": 12, "yearly": 3}

policies = st.dictionaries(st.sampled_from(list(WORDS)), st.integers(1, 6), min_size=1).map(
    lambda found: {period: found[period] for period in WORDS if period in found}
)
steps = st.one_of(
    st.integers(0, 3600),
    st.integers(0, 3 * 86400),
    st.integers(0, 60 * 86400),
    st.just(0),
)
forwards = st.lists(steps, max_size=80)
jumps = st.integers(-400 * 86400, 400 * 86400)
anyhow = st.lists(st.one_of(steps, jumps), max_size=60)


def label(period: str, at: datetime) -> str:
    quarter = f":{at.minute // 15}" if period == "frequent" else ""
    return at.strftime(WORDS[period]) + quarter


def reference(counts: dict[str, int], points: Sequence[Point]) -> set[str]:
    """The rule as a person would say it, one snapshot at a time."""
    return {point.guid for point in points if _stays(point, counts, points)}


def _stays(point: Point, counts: dict[str, int], points: Sequence[Point]) -> bool:
    if all(other.createtxg <= point.createtxg for other in points):
        return True
    is_oldest = all(other.createtxg >= point.createtxg for other in points)
    for period, count in counts.items():
        own = label(period, point.at)
        labels = {label(period, other.at) for other in points}
        later_in_it = any(
            label(period, other.at) == own and other.createtxg > point.createtxg for other in points
        )
        if not later_in_it and sum(other > own for other in labels) < count:
            return True
        if is_oldest and len(labels) < count:
            return True
    return False


def thinned(counts: dict[str, int], points: Sequence[Point]) -> list[Point]:
    keeps = kept(counts, points)
    return [point for point in points if point.guid in keeps]


def step_by_step(counts: dict[str, int], points: Sequence[Point]) -> list[Point]:
    left: list[Point] = []
    for point in points:
        left = thinned(counts, [*left, point])
    return left


# --- properties


@given(policies, forwards, st.integers(0, 90), st.integers(1, 7))
def test_what_waits_for_a_copy_is_one_a_day_and_of_the_latest_days(
    counts: dict[str, int], gaps: list[int], behind: int, days: int
) -> None:
    points = series(gaps)
    times = now_after(points)
    copied = times.now - timedelta(days=behind)
    gap = Gap(copied, timedelta(days=days))

    waiting = set(uncopied(gap, points, times.now))

    found = [point.at for point in points if point.guid in waiting]
    assert len({at.date() for at in found}) == len(found) <= days + 1
    assert all(copied < at and times.now - at <= gap.longest for at in found)
    alone = decide(counts, points, times).kept
    assert set(decide(counts, points, times, gap=gap).kept) == {*alone, *waiting}


@given(policies, forwards)
def test_nothing_waits_for_a_copy_that_is_there(counts: dict[str, int], gaps: list[int]) -> None:
    points = series(gaps)
    times = now_after(points)

    verdict = decide(counts, points, times, gap=Gap(times.now, timedelta(days=7)))

    assert verdict == decide(counts, points, times)


@given(policies, anyhow)
def test_it_keeps_what_the_rule_says_however_the_clock_went(
    counts: dict[str, int], gaps: list[int]
) -> None:
    points = series(gaps)

    assert set(kept(counts, points)) == reference(counts, points)


@given(policies, anyhow)
def test_a_period_is_kept_by_its_newest_snapshot(counts: dict[str, int], gaps: list[int]) -> None:
    points = series(gaps)

    for guid, reasons in kept(counts, points).items():
        point = next(each for each in points if each.guid == guid)
        for period in reasons:
            same = [
                each
                for each in points
                if period in WORDS and label(period, each.at) == label(period, point.at)
            ]
            assert all(each.createtxg <= point.createtxg for each in same)


@given(policies, anyhow)
def test_never_more_is_kept_than_the_counts_and_one_for_each_period(
    counts: dict[str, int], gaps: list[int]
) -> None:
    reasons = [why for each in kept(counts, series(gaps)).values() for why in each]

    for period, count in counts.items():
        assert reasons.count(period) <= count
        assert reasons.count(f"oldest {period}") <= 1
        assert reasons.count(period) + reasons.count(f"oldest {period}") <= count
    assert reasons.count("newest") == min(len(gaps), 1)


@given(policies, anyhow.filter(bool))
def test_the_newest_is_always_kept_whatever_the_clock_said(
    counts: dict[str, int], gaps: list[int]
) -> None:
    points = series(gaps)

    assert "newest" in kept(counts, points)[points[-1].guid]


@given(policies, anyhow)
def test_what_is_left_is_left_by_a_second_run_too(counts: dict[str, int], gaps: list[int]) -> None:
    once = thinned(counts, series(gaps))

    assert thinned(counts, once) == once


@given(policies, forwards)
def test_thinning_at_every_step_ends_where_thinning_once_does(
    counts: dict[str, int], gaps: list[int]
) -> None:
    points = series(gaps)

    assert step_by_step(counts, points) == thinned(counts, points)


@given(policies, forwards, st.data())
def test_runs_that_were_missed_change_nothing_in_the_end(
    counts: dict[str, int], gaps: list[int], data: st.DataObject
) -> None:
    points = series(gaps)
    runs = data.draw(st.sets(st.sampled_from(range(max(len(points), 1)))))
    left: list[Point] = []

    for number, point in enumerate(points):
        left.append(point)
        if number in runs or number == len(points) - 1:
            left = thinned(counts, left)

    assert left == thinned(counts, points)


@given(policies, anyhow, st.data())
def test_what_is_bound_is_no_candidate_and_displaces_nothing(
    counts: dict[str, int], gaps: list[int], data: st.DataObject
) -> None:
    points = series(gaps)
    bound = data.draw(st.sets(st.sampled_from([point.guid for point in points] or ["none"])))
    some = [
        Point(point.guid, point.createtxg, point.at, "held" if point.guid in bound else "")
        for point in points
    ]

    verdict = decide(counts, some, now_after(points))

    assert not bound & {point.guid for point in verdict.expired}
    assert set(verdict.kept) - bound == reference(counts, points) - bound


@given(policies, anyhow)
def test_the_order_of_a_listing_does_not_matter(counts: dict[str, int], gaps: list[int]) -> None:
    points = series(gaps)

    assert kept(counts, points[::-1]) == kept(counts, points)


# --- years


def test_after_three_years_of_hours_it_is_the_same_set_at_every_step_and_once() -> None:
    points = list(hours(3 * 8766))[::3]  # every three hours is as good, and quicker

    once = thinned(POLICY, points)

    assert step_by_step(POLICY, points) == once
    assert {guid for guid, why in kept(POLICY, once).items() if "monthly" in why} == {
        max((p for p in points if p.at.strftime("%Y-%m") == month), key=lambda p: p.at).guid
        for month in sorted({p.at.strftime("%Y-%m") for p in points})[-12:]
    }
    assert len(once) == 24 + 7 + 4 + 12 + 3 - _shared(once)


def _shared(points: Sequence[Point]) -> int:
    """How many reasons are second ones of a snapshot that is kept already."""
    return sum(len([w for w in why if w != "newest"]) - 1 for why in kept(POLICY, points).values())


def test_a_month_without_a_run_costs_no_period_before_it() -> None:
    before = list(hours(24 * 200))
    after = list(hours(24 * 20, EPOCH + timedelta(days=230)))
    after = [Point(f"late{p.guid}", p.createtxg + 10_000, p.at) for p in after]

    left = thinned(POLICY, [*before, *after])

    assert {label("monthly", p.at) for p in left} == {
        label("monthly", p.at) for p in before + after
    }


def test_leap_day_week_53_and_new_year_are_periods_like_any_other() -> None:
    days = [datetime(2024, 2, 28, 12, tzinfo=UTC) + timedelta(days=n) for n in range(3)]
    turn = [datetime(2026, 12, 30, 12, tzinfo=UTC) + timedelta(days=n) for n in range(7)]
    points = [Point(f"g{n}", n, at) for n, at in enumerate([*days, *turn])]

    why = kept({"daily": 20, "weekly": 3, "yearly": 4}, points)

    assert all("daily" in why[point.guid] for point in points)
    assert [p.at.date().isoformat() for p in points if "weekly" in why[p.guid]] == [
        "2024-03-01", "2027-01-03", "2027-01-05",
    ]  # fmt: skip  # 2027-01-03 is the Sunday of 2026-W53
    assert [p.at.year for p in points if "yearly" in why[p.guid]] == [2024, 2026, 2027]


@pytest.mark.parametrize("zone", ["Europe/Vienna", "America/Chicago", "Pacific/Apia"])
def test_a_host_in_any_time_zone_keeps_every_hour_of_a_night_when_clocks_change(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TZ", zone)
    time.tzset()
    spring = list(hours(48, datetime(2026, 3, 7, 12, tzinfo=UTC)))
    autumn = list(hours(24 * 9, datetime(2026, 10, 24, 12, tzinfo=UTC)))

    left = [kept({"hourly": len(each)}, each) for each in (spring, autumn)]

    monkeypatch.undo()
    time.tzset()
    assert [len(each) for each in left] == [len(spring), len(autumn)]


@given(forwards, st.sampled_from(["Europe/Vienna", "America/Chicago", "Asia/Kathmandu"]))
def test_the_zone_that_a_time_is_written_in_changes_nothing(gaps: list[int], zone: str) -> None:
    points = series(gaps)
    elsewhere = [Point(p.guid, p.createtxg, p.at.astimezone(ZoneInfo(zone))) for p in points]

    assert kept(POLICY, elsewhere) == kept(POLICY, points)


def test_snapshots_of_one_instant_are_told_apart_by_their_transaction_groups() -> None:
    points = [Point("first", 5, EPOCH), Point("third", 9, EPOCH), Point("second", 7, EPOCH)]

    assert kept({"hourly": 3}, points) == {
        "third": ("newest", "hourly"),
        "first": ("oldest hourly",),
    }


def test_with_fewer_snapshots_than_counts_the_series_reaches_back_as_far_as_it_can() -> None:
    points = list(hours(30))

    assert "oldest daily" in kept({"daily": 7}, points)["g0"]
