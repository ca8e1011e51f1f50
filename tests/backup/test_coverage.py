"""Which promises are kept, told from what is known and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emily_infra.backup.coverage import (
    Broken,
    Drilled,
    Kind,
    Place,
    Seen,
    Taken,
    broken,
    covers,
)
from emily_infra.backup.settings import Settings

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECRET = {"credential": "restic", "file": "/run/secrets/restic"}
VERIFY = {"subsets": 28, "period": 86400, "whole_in": 28 * 86400}
SHED = (Kind.REPOSITORY, "shed")
DRILLED = Drilled(NOW - DAY, passed=True, verdict="same", seconds_per_gb=10)


def settings(**changes: Any) -> Settings:
    shed = {"url": "rest:https://backup.example.org/", "password": SECRET, "keep": {"daily": 7},
            "period": 86400, "verify": VERIFY, "datasets": ["tank/home"]}  # fmt: skip
    data: dict[str, Any] = {
        "version": 2, "host": "nas", "host_id": "4e4a5001", "policies": {"daily": {"hourly": 24}},
        "repositories": {"shed": shed},
        "datasets": {
            "tank/home": {"mountpoint": "/srv/home", "policy": "daily", "repositories": ["shed"]},
            "tank/tmp": {"mountpoint": "/srv/tmp", "exempt": "made anew each day"},
        },
        "drill": {"period": 7 * 86400},
    }  # fmt: skip
    return Settings.model_validate(data | changes)


def seen(**changes: Any) -> Seen:
    """Everything is as promised, but for the changes to the repository."""
    place = Place({"tank/home": NOW - 3 * HOUR}, "", NOW - 20 * DAY, DRILLED, NOW - 90 * DAY)
    taken = {"tank/home": Taken(NOW - HOUR / 2, (), 250 * 10**9)}
    return Seen(taken=taken, places={SHED: replace(place, **changes)})


def told(seen: Seen, **changes: Any) -> list[Broken]:
    return broken(settings(**changes), seen, NOW)


def test_where_everything_is_young_enough_every_promise_is_kept() -> None:
    assert told(seen()) == []


def test_the_recovery_point_is_the_newest_copy_that_survives_the_pool() -> None:
    home, tmp = covers(settings(), seen())

    assert home.point
    assert home.point.at == NOW - 3 * HOUR
    assert home.point.limit == 26 * 3600
    assert (tmp.point, tmp.exempt) == (None, "made anew each day")


@pytest.mark.parametrize("url", ["/srv/home/restic", "local:/srv/home/restic"])
def test_a_repository_on_the_pool_itself_is_no_recovery_point(url: str) -> None:
    own = settings().repositories["shed"].model_copy(update={"url": url})

    home = covers(settings(repositories={"shed": own}), seen())[0]

    assert home.copies["shed"].at == NOW - 3 * HOUR
    assert home.point is None


def test_the_recovery_time_is_what_drills_measured_for_this_size() -> None:
    assert covers(settings(), seen())[0].seconds == pytest.approx(2500)
    assert covers(settings(), seen(drilled=None))[0].seconds is None
    failed = replace(DRILLED, passed=False)
    assert covers(settings(), seen(drilled=failed))[0].seconds is None


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"copies": {"tank/home": NOW - 27 * HOUR}}, "repository shed: copies of tank/home"),
        ({"copies": {}}, "repository shed: copies of tank/home"),
        ({"copies": {"tank/home": NOW + DAY}}, "repository shed: copies of tank/home"),
        ({"trouble": "BKP031: cannot be reached"}, "repository shed: last run"),
        ({"unverified": NOW - 31 * DAY}, "repository shed: reading all of it back"),
        ({"unverified": None}, "repository shed: reading all of it back"),
        ({"drilled": None}, "repository shed: drill"),
        ({"drilled": replace(DRILLED, at=NOW - 8 * DAY)}, "repository shed: drill"),
        ({"drilled": replace(DRILLED, passed=False)}, "repository shed: drill"),
    ],
)
def test_each_promise_that_is_not_kept_is_told_once(change: dict[str, Any], what: str) -> None:
    assert [each.what for each in told(seen(**change))] == [what]


def test_a_new_repository_is_not_late_with_what_takes_weeks() -> None:
    assert told(seen(unverified=None, drilled=None, since=NOW - 2 * DAY)) == []


@pytest.mark.parametrize(("age", "late_ones"), [(119, []), (121, ["snapshots of tank/home"])])
def test_a_snapshot_is_late_after_its_period_and_an_hour(age: int, late_ones: list[str]) -> None:
    old = {"tank/home": Taken(NOW - timedelta(minutes=age))}

    late = told(replace(seen(), taken=old))

    assert [each.what for each in late] == late_ones


def test_datasets_that_are_late_for_one_reason_stand_in_one_line() -> None:
    body = settings().datasets["tank/home"]
    many = {f"tank/{number:02}": body for number in range(20)}

    late = told(Seen(places=seen(copies=dict.fromkeys(many, NOW - 9 * DAY)).places), datasets=many)

    assert [each.what for each in late] == [
        "snapshots of tank/00, tank/01, tank/02 and 17 more",
        "repository shed: copies of tank/00, tank/01, tank/02 and 17 more",
    ]


def test_a_pool_that_cannot_be_asked_is_told_before_anything_else() -> None:
    unseen = {"tank/home": Taken(newest=NOW - HOUR, unseen="pool I/O is currently suspended")}

    late = told(replace(seen(), taken=unseen))

    assert [(each.what, each.why) for each in late] == [
        ("a pool cannot be asked", "pool I/O is currently suspended")
    ]
    assert late[0].look == ("zpool", "status", "-v", "tank")
