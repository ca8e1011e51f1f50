"""Copies in a repository, made by the real restic."""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emily_infra.backup import ledger
from emily_infra.backup.compare import Comparison
from tests.backup.shed import ALL, clean, copies, figures, next_hour, restic, restored
from tests.backup.world import World, building
from tests.backup.world.programs.state import changing

WEAK = """#!/bin/sh
exec setpriv --bounding-set=-dac_override,-dac_read_search {restic} "$@"
"""


def test_all_datasets_are_in_one_copy_of_the_snapshot(shed: World) -> None:
    shed.write("tank/home", "letter", b"changed since")

    done = shed.run("offsite", "shed")

    assert done.code == 0, done.err
    assert "3 files, 400.0 kB as of" in done.out.replace("KB", "kB")
    assert (restored(shed, "tank/home") / "letter").read_bytes() == b"dear all"
    assert (restored(shed, "tank/home") / "photos/cat").stat().st_size == 300_000
    assert clean(shed)


def test_a_copy_has_the_host_one_tag_and_the_time_of_its_snapshot(shed: World) -> None:
    shed.later(hours=5)
    shed.run("offsite", "shed")

    (copy,) = copies(shed)

    taken = shed.snapshots("tank/db")[0]
    assert (copy["hostname"], copy["tags"]) == ("box", ["emily-shed"])
    assert copy["time"] == datetime.strptime(taken, "emily-%Y%m%dT%H%M%SZ").strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def unchanged(world: World) -> None:
    """Another snapshot of files that stayed as they were; the world would give them new numbers."""
    old, new = world.snapshots("tank/db")[-1], next_hour(world)
    with changing(world.folder) as state:
        for each in ALL:
            taken = state.datasets[each].snapshots
            taken[new].folder = taken[old].folder


def test_a_second_copy_reads_nothing_again(shed: World) -> None:
    shed.run("offsite", "shed")
    unchanged(shed)

    done = shed.run("offsite", "shed")

    assert done.code == 0, done.err
    summary = copies(shed)[1]["summary"]
    assert (summary["files_unmodified"], summary["files_new"] + summary["files_changed"]) == (3, 0)
    assert summary["data_blobs"] == 0


def test_a_snapshot_that_was_copied_is_not_copied_again(shed: World) -> None:
    shed.run("offsite", "shed")
    (shed.root / "metrics" / "emily-offsite-shed.prom").unlink()

    done = shed.run("offsite", "shed")

    assert (done.code, len(copies(shed))) == (0, 1)
    assert "are there already" in done.out
    assert figures(shed)["emily_backup_incomplete"] == 0


def test_a_copy_is_as_old_as_the_snapshot_in_its_metric(shed: World) -> None:
    name = shed.snapshots("tank/db")[0]
    shed.later(hours=7)

    shed.run("offsite", "shed")

    moment = shed.zfs("get", "-Hp", "-o", "value", "creation", f"tank/db@{name}")
    found = figures(shed)
    assert found["emily_backup_last_success_timestamp_seconds"] == float(moment)
    assert found["emily_backup_files"] == 3
    assert found["emily_repository_bytes"] > 400_000


def test_files_come_back_as_they_were_whatever_they_are(shed: World) -> None:
    home = shed.mountpoint("tank/home")
    peculiar(home)
    next_hour(shed)

    done = shed.run("offsite", "shed")

    assert done.code == 0, done.err
    found = Comparison(os.fsencode(home), os.fsencode(restored(shed, "tank/home")))
    assert [each for each in found.tree() if each.path != b"photos"] == []
    assert found.tally.found_allocated < 1 << 20


def peculiar(home: Path) -> None:
    """Names, attributes and kinds of files that get lost easily."""
    for name in (b"\xff\xfe", b"two\nlines", b"-rf", b" ", "é".encode(), b"a" * 255):
        Path(os.fsdecode(os.fsencode(home) + b"/" + name)).write_bytes(name)
    linked = home / "linked"
    linked.write_bytes(b"one file")
    os.link(linked, home / "again")
    os.symlink("/nowhere", home / "symlink")
    os.mkfifo(home / "pipe")
    os.setxattr(linked, "user.colour", b"\x00blue")
    # An access list: rwx for user 1000, and the mask that goes with it.
    entries = (b"\x01\x00\x06\x00\xff\xff\xff\xff", b"\x02\x00\x07\x00\xe8\x03\x00\x00",
               b"\x04\x00\x04\x00\xff\xff\xff\xff", b"\x10\x00\x07\x00\xff\xff\xff\xff",
               b"\x20\x00\x00\x00\xff\xff\xff\xff")  # fmt: skip
    os.setxattr(linked, "system.posix_acl_access", b"\x02\x00\x00\x00" + b"".join(entries))
    with (home / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    os.chown(home / "sparse", 1000, 1001)
    (home / "sparse").chmod(0o4750)


def weak_restic(world: World) -> None:
    """A restic that cannot read everything."""
    building.install(world.root, "restic", WEAK.replace("{restic}", str(shutil.which("restic"))))


def test_a_file_that_cannot_be_read_is_named_and_the_copy_marked(shed: World) -> None:
    secret = shed.write("tank/db", "secret", b"x")
    secret.chmod(0)
    os.chown(secret, 1000, 1000)
    next_hour(shed)
    weak_restic(shed)

    done = shed.run("offsite", "shed")

    assert done.code == 3
    assert f"{secret} could not be read" in done.err
    assert copies(shed)[0]["tags"] == ["emily-shed", "emily-partial"]
    assert figures(shed)["emily_backup_files_failed"] == 1
    assert "emily_backup_last_success_timestamp_seconds" not in figures(shed)


def test_a_partial_copy_is_followed_by_a_good_one_that_reads_nothing_twice(shed: World) -> None:
    test_a_file_that_cannot_be_read_is_named_and_the_copy_marked(shed)
    (shed.root / "bin/restic").unlink()

    done = shed.run("offsite", "shed")

    assert done.code == 0, done.err
    assert copies(shed)[1]["tags"] == ["emily-shed"]
    assert copies(shed)[1]["summary"]["files_unmodified"] == 3
    assert figures(shed)["emily_backup_incomplete"] == 0


def test_a_dataset_that_vanished_makes_the_copy_partial(shed: World) -> None:
    shed.faults.vanish("tank/db", "zfs", "hold")

    done = shed.run("offsite", "shed")

    assert done.code == 3
    assert "tank/db is not in the copy: tank/db@" in done.err
    assert copies(shed)[0]["tags"] == ["emily-shed", "emily-partial"]


def test_much_less_than_before_needs_the_operators_word(shed: World) -> None:
    shed.run("offsite", "shed")
    (shed.mountpoint("tank/home/photos") / "cat").unlink()
    next_hour(shed)

    done = shed.run("offsite", "shed")
    again = shed.run("offsite", "shed")

    assert (done.code, again.code, len(copies(shed))) == (3, 3, 2)
    assert "emily-infra backup offsite shed --accept-shrunk" in done.err
    assert copies(shed)[1]["tags"] == ["emily-shed", "emily-partial"]
    assert figures(shed)["emily_backup_incomplete"] == 1


def test_with_the_operators_word_less_is_good(shed: World) -> None:
    test_much_less_than_before_needs_the_operators_word(shed)

    done = shed.run("offsite", "shed", "--accept-shrunk")
    after = shed.run("offsite", "shed")

    assert (done.code, after.code) == (0, 0)
    assert copies(shed)[1]["tags"] == ["emily-shed"]
    assert figures(shed)["emily_backup_incomplete"] == 0


def test_a_first_copy_of_which_everything_is_left_out_is_not_good(shed: World) -> None:
    told = json.loads(shed.config.read_text())
    told["repositories"]["shed"]["exclude"] = ["letter", "cat", "table"]
    shed.config.write_text(json.dumps(told))

    done = shed.run("offsite", "shed")
    meant = shed.run("offsite", "shed", "--accept-shrunk")

    assert (done.code, meant.code) == (3, 0)


def test_a_first_copy_of_datasets_without_a_file_is_good(shed: World) -> None:
    for dataset, name in zip(ALL, ("letter", "cat", "table"), strict=True):
        (shed.mountpoint(dataset) / name).unlink()
    next_hour(shed)

    done = shed.run("offsite", "shed")

    assert done.code == 0, done.err


def test_a_lost_ledger_comes_back_from_the_repository(shed: World) -> None:
    shed.run("offsite", "shed")
    file = ledger.path(shed.here(), "shed")
    file.write_text("{")

    done = shed.run("offsite", "shed")

    assert (done.code, len(copies(shed))) == (0, 1)
    assert "gathered from the repository again" in done.err
    found = ledger.load(shed.here(), "shed").good
    assert found is not None
    assert found.counted.files == 3


def test_a_second_run_at_once_is_told_of_the_first(shed: World) -> None:
    shed.faults.slow("mount", "-t", "zfs", seconds=3, number=1)
    first = shed.begin("offsite", "shed")
    while not shed.calls("mount", "-t", "zfs"):
        assert first.poll() is None

    second = shed.run("offsite", "shed")

    assert second.code == 7
    assert f"offsite (process {first.pid}" in second.err
    assert first.wait(60) == 0


def test_a_wrong_password_leaves_no_hold(shed: World) -> None:
    (shed.root / "secrets/restic").write_text("wrong")

    done = shed.run("offsite", "shed")

    assert done.code == 1
    assert shed.calls("zfs", "hold") == []
    assert "Traceback" not in done.err


def test_excluded_files_are_not_in_the_copy(tmp_path: Path, empty: Path) -> None:
    body = building.repository(tmp_path, "shed", ["tank/home"])
    srv = tmp_path / "srv"
    exclude = [f"{srv}/home/cache", "*.tmp"]
    world = World(tmp_path).start(
        datasets={"tank/home": {"policy": "daily", "repositories": ["shed"]}},
        repositories={"shed": {**body, "exclude": exclude}},
    )
    shutil.copytree(empty, tmp_path / "repositories/shed")
    for name in ("cache/big", "keep/cache/small", "a.tmp", "b"):
        world.write("tank/home", name, b"x")
    world.take("tank/home")

    world.run("offsite", "shed")

    listed = restic(world, "ls", "latest").splitlines()
    names = [line.partition("srv/home/")[2] for line in listed if "srv/home/" in line]
    assert names == ["b", "keep", "keep/cache", "keep/cache/small"]
    world.close()


@pytest.fixture
def night(tmp_path: Path, empty: Path) -> Iterator[World]:
    """A repository that is copied to between 22:00 and 06:00."""
    body = building.repository(tmp_path, "shed", ALL)
    limits = {"hours": [22 * 60, 6 * 60], "upload_kib": 200}
    world = World(tmp_path).start(repositories={"shed": {**body, **limits}})
    world.at(datetime(2026, 6, 1, 20, tzinfo=UTC))
    shutil.copytree(empty, tmp_path / "repositories/shed")
    world.write("tank/db", "table", os.urandom(1_200_000))
    world.take(*ALL)
    yield world
    world.close()


def test_outside_of_its_hours_nothing_is_copied_unless_asked(night: World) -> None:
    done = night.run("offsite", "shed")
    now = night.run("offsite", "shed", "--now", "--json")

    assert (done.code, done.out) == (0, "shed: nothing is copied before 22:00Z; now: --now\n")
    assert (now.code, json.loads(now.out)["outcome"]) == (0, "copied")


def test_a_copy_is_stopped_at_the_end_of_its_hours_and_goes_on_the_next_night(
    night: World,
) -> None:
    night.at(datetime(2026, 6, 2, 5, 59, 58, tzinfo=UTC))

    stopped = night.run("offsite", "shed")
    night.later(hours=17)
    done = night.run("offsite", "shed")

    assert (stopped.code, done.code) == (3, 0)
    assert "goes on at 22:00Z" in stopped.out
    assert len(copies(night)) == 1
    assert clean(night)
