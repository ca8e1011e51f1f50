"""While copies fail, a snapshot a day waits for one; with room, and for a week at most."""

from datetime import UTC, datetime, timedelta

import pytest

from emily_infra.backup import ledger
from emily_infra.backup.ledger import Copy, Ledger
from tests.backup.world import World

HOME = "tank/home"
NOON = datetime(2026, 6, 6, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def failing(world: World) -> World:
    """Four hours are kept; snapshots every six hours for five days, since the last good copy."""
    world.start(
        policies={"short": {"hourly": 4}},
        datasets={HOME: {"policy": "short", "repositories": ["shed"]}},
        uncopied=int(7 * DAY.total_seconds()),
    )
    moments = [NOON - 5 * DAY + timedelta(hours=6 * number) for number in range(21)]
    world.at(moments[0])
    world.take(HOME)
    world.past(HOME, moments[1:])
    world.at(NOON)
    copied(world, moments[0])
    return world


def copied(world: World, at: datetime, repository: str = "shed") -> None:
    """What is remembered after a good copy of a snapshot."""
    here = world.here()
    copy = Copy(id="ab", time=at, ended=at, verdict="good")
    ledger.save(here, repository, Ledger(copies=(copy,)))


def days(world: World) -> list[str]:
    """The days of the month that are left, with the hour of their newest snapshot."""
    return [name[12:17].replace("T", " ") for name in world.snapshots(HOME)]


def test_a_snapshot_a_day_waits_for_the_copy_that_is_late(failing: World) -> None:
    done = failing.run("expire", "--many")

    assert done.code == 0, done.err
    assert days(failing) == ["01 18", "02 18", "03 18", "04 18", "05 18", "06 00", "06 06", "06 12"]


def test_the_dry_run_says_what_a_snapshot_waits_for(failing: World) -> None:
    done = failing.run("expire", "--many", "--dry-run")

    assert done.out.count("not copied") == 6


def test_once_a_copy_is_made_the_policy_alone_decides(failing: World) -> None:
    failing.run("expire", "--many")
    copied(failing, NOON)

    done = failing.run("expire")

    assert done.code == 0, done.err
    assert days(failing) == ["05 18", "06 00", "06 06", "06 12"]


def test_after_a_week_nothing_waits_any_more(failing: World) -> None:
    failing.at(NOON + 5 * DAY)

    failing.run("expire", "--many", "--clock-is-right")

    assert days(failing) == ["04 18", "05 18", "06 00", "06 06", "06 12"]


def test_on_a_nearly_full_pool_nothing_waits(failing: World) -> None:
    failing.faults.full("tank")

    failing.run("expire", "--many")

    assert days(failing) == ["05 18", "06 00", "06 06", "06 12"]


def test_a_repository_that_never_had_a_copy_is_waited_for_too(failing: World) -> None:
    ledger.path(failing.here(), "shed").unlink()

    failing.run("expire", "--many")

    assert days(failing)[:2] == ["01 18", "02 18"]


def test_a_run_asks_once_how_full_its_pool_is(failing: World) -> None:
    failing.run("snapshot")

    assert len(failing.calls("zfs", "list", "available,used")) == 1
