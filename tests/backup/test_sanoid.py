"""sanoid and ours on the same series: what docs/guide/retention.md says of them is so."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from emily_infra.backup.retention import Point, due, kept
from tests.backup import sanoid
from tests.backup.world import World

pytestmark = pytest.mark.skipif(not sanoid.PROGRAM, reason="sanoid is unpacked by scripts/test")

HOME = "tank/home"
COUNTS = {"hourly": 6, "daily": 4, "monthly": 2}
START = datetime(2026, 1, 25, tzinfo=UTC)
MISSED = (17, 18)
RUNS = [START + timedelta(hours=12 * n) for n in range(28) if n not in MISSED]
BOTH = ("--take-snapshots", "--prune-snapshots")


def day(number: int, hour: int = 0) -> datetime:
    """Of February, or of January where it is below 1."""
    return datetime(2026, 2, 1, hour, tzinfo=UTC) + timedelta(days=number - 1)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two weeks of sanoid, twice a day, one day of it without power."""
    world = World(tmp_path_factory.mktemp("sanoid")).start()
    sanoid.configured(world, HOME, **COUNTS)
    for moment in RUNS:
        world.at(moment)
        done = sanoid.sanoid(world, *BOTH)
        assert (done.code, done.err) == (0, "")
    yield world
    world.close()


@pytest.fixture(scope="module")
def ours() -> dict[datetime, tuple[str, ...]]:
    """The same two weeks by our rule: what is left, and why."""
    points: list[Point] = []
    for number, moment in enumerate(RUNS):
        if due(COUNTS, [point.at for point in points], moment):
            points.append(Point(str(number), number, moment))
        keeps = kept(COUNTS, points)
        points = [point for point in points if point.guid in keeps]
    return {point.at: kept(COUNTS, points)[point.guid] for point in points}


def because(ours: dict[datetime, tuple[str, ...]], period: str) -> list[datetime]:
    return [at for at, why in ours.items() if period in why]


def test_sanoid_takes_one_of_each_kind_at_one_moment_and_ours_is_one_for_all(
    theirs: World, ours: dict[datetime, tuple[str, ...]]
) -> None:
    at_once = sanoid.instants(theirs, HOME).count(day(7))

    assert at_once == 2  # an hourly and a daily
    assert ours[day(7, 12)] == ("newest", "hourly", "daily", "monthly")
    assert len(sanoid.instants(theirs, HOME)) == 14
    assert len(ours) == 8


def test_sanoid_keeps_one_more_until_its_next_run_and_both_count_hours_that_have_one(
    theirs: World, ours: dict[datetime, tuple[str, ...]]
) -> None:
    assert because(ours, "hourly") == RUNS[-6:]
    assert sanoid.instants(theirs, HOME, "hourly") == RUNS[-7:]


def test_a_day_of_sanoid_is_its_first_run_and_ours_the_last(
    theirs: World, ours: dict[datetime, tuple[str, ...]]
) -> None:
    assert sanoid.instants(theirs, HOME, "daily") == [
        day(3, 12), *(day(n) for n in (4, 5, 6, 7)),
    ]  # fmt: skip  # of the third, when there was power again; and a fifth, not yet four days old
    assert because(ours, "daily") == [day(n, 12) for n in (4, 5, 6, 7)]


def test_a_month_of_sanoid_is_its_beginning_and_ours_its_end(
    theirs: World, ours: dict[datetime, tuple[str, ...]]
) -> None:
    assert sanoid.instants(theirs, HOME, "monthly") == [START, day(1)]
    assert because(ours, "monthly") == [day(0, 12), day(7, 12)]


@pytest.fixture
def fresh(world: World) -> World:
    world.start(
        policies={"same": {"hourly": 6}}, datasets={HOME: {"policy": "same"}}, repositories={}
    )
    sanoid.configured(world, HOME, hourly=6)
    return world


def hours_of_both(world: World, count: int, start: datetime) -> None:
    for number in range(count):
        world.at(start + timedelta(hours=number))
        world.zfs("snapshot", f"{HOME}@autosnap_{world.now():%Y-%m-%d_%H:%M:%S}_hourly")
        world.take(HOME)


def mine(world: World) -> list[str]:
    return [name for name in world.snapshots(HOME) if name.startswith("emily-")]


def test_after_a_clock_set_years_ahead_sanoid_thins_to_its_counts_and_ours_destroys_nothing(
    fresh: World,
) -> None:
    hours_of_both(fresh, 9, START)
    assert fresh.run("expire").code == 0
    hours_of_both(fresh, 3, START + timedelta(hours=9))
    fresh.at(START + timedelta(days=3652))

    sanoid.sanoid(fresh, "--prune-snapshots", "--force-prune")
    done = fresh.run("snapshot")

    assert len(sanoid.instants(fresh, HOME)) == 6
    assert len(mine(fresh)) == 6 + 3 + 1
    assert "BKP012" in done.err


def test_sanoid_takes_for_its_own_what_has_its_name_and_ours_asks_for_its_mark_too(
    fresh: World,
) -> None:
    for number in range(9):
        fresh.at(START + timedelta(hours=number))
        fresh.zfs("snapshot", f"{HOME}@autosnap_of_a_person_{number}_hourly")
        fresh.zfs("snapshot", f"{HOME}@emily-{fresh.now():%Y%m%dT%H%M%SZ}")
    fresh.at(START + timedelta(days=2))

    sanoid.sanoid(fresh, "--prune-snapshots", "--force-prune")
    fresh.run("expire")

    assert len(sanoid.instants(fresh, HOME)) == 6
    assert len(mine(fresh)) == 9


def test_sanoid_destroys_one_by_one_and_says_of_a_held_one_that_it_failed(fresh: World) -> None:
    hours_of_both(fresh, 12, START)
    names = fresh.snapshots(HOME)
    fresh.zfs("hold", "keep", *(f"{HOME}@{name}" for name in names[:2]))
    before = len(fresh.calls("zfs", "destroy"))
    fresh.later(days=2)

    done = sanoid.sanoid(fresh, "--prune-snapshots", "--force-prune")
    one_by_one = len(fresh.calls("zfs", "destroy")) - before
    fresh.run("expire", "--clock-is-right")

    assert one_by_one == 6
    assert (done.code, "could not remove" in done.err) == (0, True)
    assert len(fresh.calls("zfs", "destroy")) - before - one_by_one == 1
