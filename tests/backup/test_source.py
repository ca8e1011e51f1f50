"""What is copied: which snapshots, held, and shown where only the run sees them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emily_infra.backup import catalogue, source
from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.choosing import Chosen, choose, late
from emily_infra.backup.faults import NotShown
from emily_infra.machine import CommandFailed
from tests.backup.world import World

HOME = ("tank/home", "tank/home/photos", "tank/db")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def snapshot(dataset: str, txg: int, *, mine: bool = True) -> Snapshot:
    return Snapshot(dataset, f"emily-{txg}", txg, txg, NOON + timedelta(hours=txg), 0, mine)


@contextmanager
def shown(world: World, datasets: tuple[str, ...] = HOME) -> Iterator[tuple[Chosen, Path]]:
    here = world.here()
    with source.held(here, "offsite-shed", datasets) as chosen, source.shown(here, chosen):
        yield chosen, here.settings.paths.source / str(world.root).lstrip("/") / "srv"


def test_the_newest_snapshot_that_all_datasets_have_is_chosen() -> None:
    taken = {"t/a": [snapshot("t/a", 1), snapshot("t/a", 2)], "t/b": [snapshot("t/b", 1)]}

    assert [each.full for each in choose(taken).snapshots] == ["t/a@emily-1", "t/b@emily-1"]


def test_a_snapshot_of_others_is_never_chosen() -> None:
    taken = {"t/a": [snapshot("t/a", 1), snapshot("t/a", 2, mine=False)]}

    assert [each.full for each in choose(taken).snapshots] == ["t/a@emily-1"]


def test_without_a_common_snapshot_each_has_its_newest_and_that_is_said() -> None:
    taken = {"t/a": [snapshot("t/a", 1)], "t/b": [snapshot("t/b", 2)]}

    found = choose(taken)

    assert [each.full for each in found.snapshots] == ["t/a@emily-1", "t/b@emily-2"]
    assert "not of one moment" in found.remarks[0]


def test_a_dataset_without_a_snapshot_holds_up_no_other() -> None:
    found = choose({"t/a": [snapshot("t/a", 1)], "t/new": []})

    assert found.guids == {"t/a": 1}
    assert "no snapshot yet" in found.lacking["t/new"]


def test_an_old_snapshot_is_worth_a_word(world: World) -> None:
    settings = world.here().settings
    taken = [snapshot("tank/home", 0)]

    assert late(settings, taken, NOON + timedelta(minutes=29)) == []
    assert "every quarter of an hour" in late(settings, taken, NOON + timedelta(minutes=31))[0]


def test_datasets_are_shown_as_they_are_mounted(world: World) -> None:
    world.write("tank/home", "letter", b"old")
    world.write("tank/home/photos", "cat", b"meow")
    world.take(*HOME)
    world.write("tank/home", "letter", b"new")

    with shown(world) as (chosen, at):
        assert (at / "home/letter").read_bytes() == b"old"
        assert (at / "home/photos/cat").read_bytes() == b"meow"
        assert source.topmost(world.here().settings, chosen.snapshots) == [at / "db", at / "home"]


def test_the_root_file_system_is_shown_with_what_is_mounted_in_it(tmp_path: Path) -> None:
    body = {"policy": "daily", "repositories": ["shed"]}
    world = World(tmp_path).start(
        datasets={"tank/home": body, "tank/os": {**body, "mountpoint": "/"}}
    )
    (world.contents("tank/os") / str(world.mountpoint("tank/home")).lstrip("/")).mkdir(parents=True)
    (world.contents("tank/os") / "etc").mkdir()
    world.write("tank/home", "letter", b"x")
    world.take("tank/os", "tank/home")

    with shown(world, ("tank/os", "tank/home")) as (chosen, at):
        root = world.here().settings.paths.source
        assert chosen.lacking == {}
        assert (root / "etc").is_dir()
        assert (at / "home/letter").read_bytes() == b"x"
        assert source.topmost(world.here().settings, chosen.snapshots) == [root]
    assert world.mounts_left() == []
    world.close()


def test_a_dataset_that_is_mounted_nowhere_has_a_place_by_its_name(tmp_path: Path) -> None:
    body = {"policy": "daily", "repositories": ["shed"], "mountpoint": None}
    world = World(tmp_path).start(datasets={"tank/box": body})
    (world.contents("tank/box") / "file").write_bytes(b"x")
    world.take("tank/box")

    with shown(world, ("tank/box",)):
        root = world.here().settings.paths.source
        assert (root / ".datasets/tank/box/file").read_bytes() == b"x"
    world.close()


def test_a_folder_that_its_parent_lacks_is_told(world: World) -> None:
    name = world.take(*HOME)
    (world.contents(f"tank/home@{name}") / "photos").rmdir()

    with shown(world) as (chosen, _):
        assert "has no folder photos" in chosen.lacking["tank/home/photos"]


def test_nothing_can_be_written_to_what_is_shown(world: World) -> None:
    world.take(*HOME)

    with shown(world) as (_, at), pytest.raises(OSError, match="Read-only"):
        (at / "home/new").write_bytes(b"")


def test_what_is_shown_is_held_and_both_end(world: World) -> None:
    name = world.take(*HOME)

    with shown(world):
        assert any("emily:offsite-shed:" in label for label in world.holds(f"tank/db@{name}"))

    assert world.holds(f"tank/db@{name}") == set()
    assert world.mounts_left() == []


def test_an_error_on_the_way_leaves_neither_hold_nor_mount(world: World) -> None:
    name = world.take(*HOME)

    with pytest.raises(ZeroDivisionError), shown(world):
        _ = 1 / 0

    assert not world.holds(f"tank/db@{name}")
    assert not world.mounts_left()


def test_the_hold_of_a_dead_run_is_taken_away_and_that_of_a_living_one_stays(world: World) -> None:
    name = f"tank/db@{world.take('tank/db')}"
    dead = catalogue.tag("offsite-shed", "00000000-1-1")
    other = catalogue.tag("replicate-barn", "00000000-1-1")
    for label in (dead, other):
        world.zfs("hold", label, name)

    with shown(world, ("tank/db",)):
        assert dead not in world.holds(name)

    assert world.holds(name) == {other}


def test_holds_are_reaped_though_one_snapshot_is_gone_by_now(world: World) -> None:
    name = f"tank/db@{world.take('tank/db')}"
    world.zfs("hold", catalogue.tag("offsite-gone", "00000000-1-1"), name)
    (there,) = catalogue.snapshots(world.here(), "tank/db")

    freed = catalogue.reap(world.here(), "offsite-gone", [replace(there, name="gone"), there])

    assert (freed, world.holds(name)) == (1, set())


def test_expiry_frees_what_dead_runs_of_any_job_hold_and_no_pin(world: World) -> None:
    name = f"tank/db@{world.take('tank/db')}"
    for label in (catalogue.tag("offsite-gone", "00000000-1-1"), "emily:replica-barn"):
        world.zfs("hold", label, name)

    done = world.run("expire")

    assert done.code == 0, done.err
    assert world.holds(name) == {"emily:replica-barn"}


@pytest.mark.parametrize("words", [("hold",), ("list", "-t", "snapshot", "-o")])
def test_a_dataset_that_vanishes_keeps_no_other_from_being_copied(
    world: World, words: tuple[str, ...]
) -> None:
    world.take(*HOME)
    world.faults.vanish("tank/db", "zfs", *words)

    with shown(world) as (chosen, at):
        assert sorted(chosen.guids) == ["tank/home", "tank/home/photos"]
        assert set(chosen.lacking) == {"tank/db"}
        assert (at / "home").is_mount()
        assert not (at / "db").exists()


def test_a_pool_that_hangs_at_the_hold_is_left_out(world: World) -> None:
    world.take(*HOME)
    words = "cannot hold snapshot 'tank/db@{}': pool I/O is currently suspended"
    name = world.snapshots("tank/db")[0]
    world.faults.fail("zfs", "hold", text=words.format(name))

    with shown(world) as (chosen, _):
        assert "suspended" in chosen.lacking["tank/db"]


def test_a_snapshot_that_was_replaced_by_another_of_its_name_is_not_read(world: World) -> None:
    name = world.take(*HOME)
    there = catalogue.snapshots(world.here(), "tank/db")
    world.zfs("destroy", f"tank/db@{name}")
    world.zfs("snapshot", "-o", "org.emily-infra:policy=policy", f"tank/db@{name}")
    part = Chosen(snapshots=there)

    source._hold(world.here(), "emily:test:1", part)

    assert part.snapshots == []
    assert "destroyed before" in part.lacking["tank/db"]


def test_a_dataset_that_cannot_be_mounted_is_named_with_the_reason(world: World) -> None:
    world.take(*HOME)
    world.faults.fail("mount", "-t", "zfs", text="mount: encryption key not loaded", status=1)

    with shown(world) as (chosen, _):
        assert chosen.lacking == {"tank/db": "mount: encryption key not loaded"}


def test_a_mount_without_the_files_that_the_snapshot_has_is_not_copied(world: World) -> None:
    world.write("tank/db", "table", os.urandom(2 << 20))
    name = world.take(*HOME)
    (world.contents(f"tank/db@{name}") / "table").unlink()

    with shown(world) as (chosen, _):
        assert "shown without a file" in chosen.lacking["tank/db"]


def test_a_mount_that_did_not_happen_stops_the_run(world: World) -> None:
    world.take(*HOME)
    world.faults.fail("mount", "-t", "zfs", text="", status=0)

    with (
        pytest.raises(NotShown, match="2 snapshots are mounted there, and not the 3"),
        shown(world),
    ):
        pass

    assert world.mounts_left() == []


def test_a_pool_that_is_suspended_keeps_no_other_from_being_copied(tmp_path: Path) -> None:
    body = {"policy": "daily", "repositories": ["shed"]}
    world = World(tmp_path).start(datasets={"tank/home": body, "old/attic": body})
    world.take("tank/home")
    world.faults.health("old", "SUSPENDED")

    with shown(world, ("tank/home", "old/attic")) as (chosen, _):
        assert list(chosen.guids) == ["tank/home"]
        assert "SUSPENDED" in chosen.lacking["old/attic"]
    world.close()


def test_what_a_killed_run_left_mounted_is_taken_away_first(world: World) -> None:
    world.take(*HOME)
    root = world.here().settings.paths.source
    root.mkdir(parents=True, exist_ok=True)
    world.program("mount", "-t", "tmpfs", "left", str(root))

    with shown(world) as (chosen, _):
        assert len(chosen.snapshots) == 3


def test_mounts_of_a_process_that_is_killed_are_gone() -> None:
    code = (
        "import os, subprocess; from emily_infra.machine.namespace import mounts, separate_mounts\n"
        "separate_mounts(); subprocess.run(['mount', '-t', 'tmpfs', 'emily-test', '/mnt'])\n"
        "print(any(each.source == b'emily-test' for each in mounts()), flush=True); os.kill(0, 9)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, start_new_session=True
    )

    assert done.stdout == "True\n"
    assert b"emily-test" not in Path("/proc/self/mountinfo").read_bytes()


def test_of_many_the_one_that_cannot_be_held_keeps_no_other_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "AT_ONCE", 1)
    name = world.take("tank/db")

    with pytest.raises(CommandFailed, match="does not exist"):
        catalogue.hold(world.here(), "emily:x", ["tank/home@gone", f"tank/db@{name}"])

    assert world.holds(f"tank/db@{name}") == {"emily:x"}
    world.zfs("release", "emily:x", f"tank/db@{name}")


def test_a_pool_that_stands_still_is_not_read_from(world: World) -> None:
    world.take("tank/db")
    world.faults.stuck("tank")

    with source.held(world.here(), "offsite-shed", ["tank/db"]) as chosen:
        assert "is stuck" in chosen.lacking["tank/db"]
        assert chosen.snapshots == []
