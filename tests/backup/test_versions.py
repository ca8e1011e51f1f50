"""Which versions of a path there are, and what happened between them."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emily_infra.backup.faults import NotCovered
from emily_infra.backup.versions import LOCAL, Body, Version, eras, place
from tests.backup.world import World

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def version(hour: int, size: int | None, source: str = LOCAL, mtime: int = 0) -> Version:
    body = None if size is None else Body("file", size, mtime)
    return Version(NOON + timedelta(hours=hour), source, f"{source}-{hour}", body)


def test_identical_neighbours_are_one_version_whoever_keeps_them() -> None:
    found = eras([version(1, 5), version(2, 5), version(2, 5, "shed"), version(3, 7)])

    assert [(era.newest.name, era.changed, len(era.versions)) for era in found] == [
        ("here-3", "+2 B", 1),
        ("here-2", "oldest known", 3),
    ]


def test_what_was_deleted_and_came_back_is_told() -> None:
    found = eras(
        [version(0, None), version(1, 5), version(2, None), version(3, 5), version(4, 5, mtime=9)]
    )

    assert [era.changed for era in found] == ["written", "there again", "deleted", "oldest known"]


def test_a_path_belongs_to_the_dataset_mounted_closest_above_it(world: World) -> None:
    photos = world.mountpoint("tank/home/photos")

    found = place(world.here(), photos / "a" / ".." / "b")

    assert (found.dataset, found.below) == ("tank/home/photos", Path("b"))


def test_a_link_above_a_path_is_followed_and_the_path_itself_is_not(world: World) -> None:
    home = world.mountpoint("tank/home")
    (world.root / "shortcut").symlink_to(home)
    (home / "link").symlink_to("/etc")

    found = place(world.here(), world.root / "shortcut" / "link")

    assert found.path == home / "link"


def test_a_path_that_no_dataset_has_is_refused_with_those_that_there_are(world: World) -> None:
    with pytest.raises(NotCovered) as caught:
        place(world.here(), Path("/proc/version"))

    assert str(world.mountpoint("tank/db")) in caught.value.hint
    assert "None" not in caught.value.hint


def test_on_a_pool_that_stands_still_no_link_is_followed(world: World) -> None:
    home = world.mountpoint("tank/home")
    (home / "link").symlink_to(world.mountpoint("tank/db"))

    world.faults.stuck("tank")

    assert place(world.here(), home / "link" / "file").dataset == "tank/home"


def test_a_file_is_found_in_every_snapshot_with_what_changed(world: World) -> None:
    file = world.write("tank/home", "thesis\udcff.txt", b"one")
    world.at(NOON)
    for text in (b"one", b"one", b"three"):
        if file.read_bytes() != text:
            file.write_bytes(text)
        world.later(hours=1)
        world.take("tank/home", "tank/home/photos")
    file.unlink()
    world.later(hours=1)
    world.take("tank/home")

    told = world.run("list", os.fsdecode(os.fsencode(file)), "--repository", "here")
    data = json.loads(world.run("list", str(file), "--repository", "here", "--json").out)

    assert told.code == 0, told.err
    rows = [line.split() for line in told.out.splitlines()[1:4]]
    assert [row[1] for row in rows] == ["16:00", "15:00", "14:00"]
    assert ("deleted" in rows[0], "+2" in rows[1], rows[2][-1]) == (True, True, "2")
    assert "--from tank/home@emily-20260601T150000Z" in told.out
    assert [each["size"] for each in data["versions"]] == [None, 5, 3, 3]
    assert world.mounts_left() == []


def test_the_table_fits_a_narrow_terminal(world: World) -> None:
    file = world.write("tank/home", "x", b"1")
    world.take("tank/home")
    world.environment["COLUMNS"] = "80"

    told = world.run("list", str(file), "--repository", "here")

    assert all(len(line) <= 80 for line in told.out.splitlines()[:2])
    assert "here 1" in told.out
