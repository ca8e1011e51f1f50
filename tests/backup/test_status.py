"""`backup status` says what is so, whatever else does not answer."""

import json
from typing import Any

import pytest

from tests.backup.world import World

HOME = "tank/home"


def status(world: World) -> dict[str, Any]:
    done = world.run("status", "--json")
    assert done.code in (0, 3), done.err
    answer: dict[str, Any] = json.loads(done.out)
    return answer


def test_a_host_that_did_nothing_yet_has_kept_no_promise(world: World) -> None:
    done = world.run("status")

    assert done.code == 3
    assert "snapshots of tank/db, tank/home, tank/home/photos: never" in done.out
    assert "$ journalctl --unit emily-snapshot" in done.out
    assert "none: nothing in it is worth a copy" in done.out


def test_snapshots_are_told_by_their_age(world: World) -> None:
    world.take(HOME, "tank/home/photos", "tank/db")
    world.later(minutes=20)

    told = status(world)

    assert not [each for each in told["broken"] if "snapshots" in each["what"]]
    assert [each["snapshot"]["kept"] for each in told["datasets"] if each["snapshot"]] == [True] * 3


def test_who_holds_a_snapshot_is_told(world: World) -> None:
    name = world.take(HOME)
    world.zfs("hold", "keep-for-the-lawyers", f"{HOME}@{name}")

    done = world.run("status")

    assert f"{HOME}@{name}" in done.out
    assert "keep-for-the-lawyers" in done.out


@pytest.mark.parametrize("columns", ["80", "160"])
def test_no_line_is_wider_than_the_terminal(world: World, columns: str) -> None:
    world.environment["COLUMNS"] = columns

    lines = world.run("status").out.splitlines()

    assert max(map(len, lines)) <= int(columns)


def test_a_suspended_pool_is_said_and_hides_nothing_else(world: World) -> None:
    world.faults.health("tank", "SUSPENDED")

    done = world.run("status", deadline=20)

    assert done.code == 3
    assert "! pool tank: " in done.out
    assert "suspended" in done.out
    assert "none: nothing in it is worth a copy" in done.out
