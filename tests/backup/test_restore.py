"""Restoring: all of it, under a new name, and never over what is there."""

import os
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emily_infra.backup.compare import Comparison
from emily_infra.backup.faults import InTheWay
from emily_infra.backup.restoring.placing import HOLDER, Merged, _merge, give_name, leftovers
from tests.backup import kept
from tests.backup.trees import plant
from tests.backup.world import World, building

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def home(world: World) -> Path:
    """A home with awkward files in it, and a snapshot of that."""
    home = world.mountpoint("tank/home")
    plant(home / "ada")
    world.at(NOON)
    world.take("tank/home", "tank/home/photos")
    return home


def same(one: Path, two: Path) -> bool:
    return not list(Comparison(os.fsencode(one), os.fsencode(two)).tree())


def holders(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(HOLDER)]


def test_a_folder_comes_back_with_everything_it_had(world: World, home: Path) -> None:
    done = world.run("restore", str(home / "ada"), "--to", str(home / "again"))

    assert done.code == 0, done.err
    assert same(home / "ada", home / "again")
    assert holders(home) == []
    assert world.holds(f"tank/home@{world.snapshots('tank/home')[0]}") == set()
    assert world.mounts_left() == []


@pytest.mark.parametrize("name", [b"n\xff\xfe", b"new\nline", b"x" * 255, b"-rf", b" lead"])
def test_a_file_with_an_awkward_name_comes_back(world: World, home: Path, name: bytes) -> None:
    lost = Path(os.fsdecode(os.fsencode(home) + b"/ada/odd/" + name))
    content = lost.read_bytes()
    lost.unlink()

    done = world.run("restore", str(lost), "--to", str(lost))

    assert done.code == 0, done.err
    assert lost.read_bytes() == content


def test_nothing_is_written_over_what_is_there(world: World, home: Path) -> None:
    file = home / "ada" / "odd" / "plain"
    file.write_bytes(b"the work of today")

    for place in (file, home / "ada", home):
        done = world.run("restore", str(file), "--to", str(place))

        assert (done.code, "is there already" in done.err) == (1, True)
    assert file.read_bytes() == b"the work of today"


def test_overwrite_replaces_file_by_file_and_says_how_many(world: World, home: Path) -> None:
    ada = home / "ada"
    (ada / "odd" / "plain").write_bytes(b"spoilt")
    (ada / "deep" / "er" / "est" / "empty").unlink()
    (ada / "of today").write_bytes(b"not in the snapshot")

    done = world.run("restore", str(ada), "--to", str(ada), "--overwrite")

    assert done.code == 0, done.err
    assert (ada / "odd" / "plain").read_bytes() == b"content 0\n"
    assert (ada / "deep" / "er" / "est" / "empty").exists()
    assert (ada / "of today").read_bytes() == b"not in the snapshot"
    assert "added 1" in done.out
    assert holders(ada) == []


def test_a_folder_where_a_file_was_is_left_and_told(world: World, home: Path) -> None:
    plain = home / "ada" / "odd" / "plain"
    plain.unlink()
    plain.mkdir()

    done = world.run("restore", str(home / "ada"), "--to", str(home / "ada"), "--overwrite")

    assert (done.code, plain.is_dir()) == (3, True)
    assert "plain: left as it is" in done.err


def test_the_version_of_a_moment_is_the_newest_before_it(world: World) -> None:
    file = world.write("tank/home", "notes", b"morning")
    world.at(NOON)
    world.take("tank/home")
    file.write_bytes(b"evening")
    world.later(hours=8)
    world.take("tank/home")

    world.run("restore", str(file), "--to", f"{file}.old", "--at", "2026-06-01T19:59")
    world.run("restore", str(file), "--to", f"{file}.new")

    assert Path(f"{file}.old").read_bytes() == b"morning"
    assert Path(f"{file}.new").read_bytes() == b"evening"


def test_a_moment_before_everything_says_what_there_is(world: World, home: Path) -> None:
    done = world.run("restore", str(home / "ada"), "--to", str(home / "x"), "--at", "2020-01-01")

    assert done.code == 1
    assert "BKP062" in done.err or "nothing that was kept" in done.err
    assert not (home / "x").exists()


def test_a_dataset_becomes_a_new_dataset(world: World, home: Path) -> None:
    done = world.run("restore", "tank/home", "--to", "tank/home-again")

    assert done.code == 0, done.err
    assert same(home / "ada", world.contents("tank/home-again") / "ada")
    assert world.zfs("get", "-H", "-o", "value", "org.emily-infra:scratch", "tank/home-again") in (
        "-\n"
    )


def test_a_new_dataset_below_a_read_only_one_can_be_written_to(world: World, home: Path) -> None:
    world.zfs("set", "readonly=on", "tank")

    done = world.run("restore", str(home), "--to", "tank/back")

    assert done.code == 0, done.err
    assert world.zfs("get", "-Hp", "-o", "value", "readonly", "tank/back").strip() == "off"


@pytest.mark.usefixtures("home")
def test_a_dataset_that_is_there_is_never_restored_into(world: World) -> None:
    done = world.run("restore", "tank/home", "--to", "tank/db")

    assert (done.code, "is there already" in done.err) == (1, True)
    assert list(world.contents("tank/db").iterdir()) == []


def test_a_file_that_does_not_fit_is_refused_before_a_byte_is_written(
    world: World, home: Path
) -> None:
    mount = world.root / "small"
    mount.mkdir()
    done = world.program("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount))
    assert done.code == 0

    done = world.run("restore", str(home / "ada"), "--to", str(mount / "ada"))

    assert (done.code, "has room for" in done.err) == (1, True)
    assert list(mount.iterdir()) == []


def test_a_killed_restore_leaves_no_half_and_the_next_one_cleans_up(
    world: World, home: Path
) -> None:
    building.install(world.root, "sync")
    world.faults.kill("sync")  # all is copied, nothing has its name yet
    killed = world.run("restore", str(home / "ada"), "--to", str(home / "again"))
    half = (killed.code, (home / "again").exists(), len(holders(home)))
    world.faults.clear()

    done = world.run("restore", str(home / "ada" / "pipe"), "--to", str(home / "pipe"))

    assert half == (-9, False, 1)
    assert done.code == 0, done.err
    assert leftovers(home) == []
    assert world.mounts_left() == []


@pytest.mark.usefixtures("home")
def test_a_killed_restore_of_a_dataset_leaves_no_dataset_after_the_next(world: World) -> None:
    world.faults.kill("zfs", "rename")
    killed = world.run("restore", "tank/home", "--to", "tank/again")
    world.faults.clear()

    done = world.run("restore", "tank/home", "--to", "tank/again")

    assert killed.code == -9
    assert done.code == 0, done.err
    assert "left by a run that was killed" in done.err
    listed = world.zfs("list", "-H", "-o", "name").split()
    assert [name for name in listed if "emily" in name] == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("call", [("zfs", "create -u"), ("mount", "-t zfs tank/emily-restore")])
def test_ctrl_c_while_a_dataset_is_made_leaves_nothing(world: World, call: tuple[str, str]) -> None:
    made = lingering(world, *call)
    process = world.begin("restore", "tank/home", "--to", "tank/again")
    until = time.monotonic() + 60
    while not made.exists() and time.monotonic() < until:
        time.sleep(0.05)

    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)

    listed = world.zfs("list", "-H", "-o", "name").split()
    assert made.exists()
    assert [name for name in listed if "emily" in name or "again" in name] == []
    assert world.mounts_left() == []


def lingering(world: World, program: str, words: str) -> Path:
    """The file that is there as soon as such a call has done its work, and has not ended."""
    tool, made = world.root / "bin" / program, world.root / "made"
    real = tool.rename(tool.with_name(f"{program}.real"))
    world.script(
        program,
        f'#!/bin/sh\n{real} "$@" || exit\ncase "$*" in "{words}"*) touch {made}; sleep 60;; esac\n',
    )
    return made


def test_a_place_that_keeps_less_than_the_snapshot_is_no_restore(world: World, home: Path) -> None:
    mount = world.root / "plain"
    mount.mkdir()
    done = world.program("mount", "-t", "ramfs", "ramfs", str(mount))
    assert done.code == 0

    done = world.run("restore", str(home / "ada"), "--to", str(mount / "ada"), "--fits")

    assert done.code == 1
    assert list(mount.iterdir()) == []


@pytest.fixture
def copied(world: World, home: Path) -> Path:
    """The home once more in a repository, and gone from this host."""
    kept.made(world)
    world.take("tank/db")
    kept.copy(world)
    for each in world.snapshots("tank/home"):
        world.zfs("destroy", f"tank/home@{each}")
    return home


def test_what_only_a_repository_has_comes_back_with_everything(world: World, copied: Path) -> None:
    socket = copied / "ada" / "deep" / "er" / "est" / "socket"
    socket.unlink(missing_ok=True)  # restic keeps none
    os.utime(socket.parent, ns=(10**18, 10**18 + 5))

    done = world.run("restore", str(copied / "ada"), "--to", str(copied / "again"))

    assert done.code == 0, done.err
    assert "from shed" in done.err + done.out or "again: " in done.out
    found = list(Comparison(os.fsencode(copied / "ada"), os.fsencode(copied / "again")).tree())
    assert found == []


def test_a_file_comes_back_from_a_repository_and_to_a_dataset_too(
    world: World, copied: Path
) -> None:
    file = copied / "ada" / "odd" / "st*r[x]?"

    one = world.run("restore", str(file), "--to", str(copied / "one"), "--repository", "shed")
    all_of_it = world.run("restore", "tank/home", "--to", "tank/again", "--repository", "shed")

    assert (one.code, all_of_it.code) == (0, 0), one.err + all_of_it.err
    assert (copied / "one").read_bytes() == file.read_bytes()
    restored = world.contents("tank/again") / "ada"
    assert (restored / "odd" / "plain").read_bytes() == b"content 0\n"


def test_versions_in_a_repository_are_listed_beside_those_here(world: World, copied: Path) -> None:
    file = copied / "ada" / "odd" / "plain"
    file.write_bytes(b"longer than it was before")
    os.utime(file, ns=(0, 0))
    world.later(days=1)
    world.take("tank/home")

    told = world.run("list", str(file))
    folder = world.run("list", str(copied / "ada"))

    assert told.code == 0, told.err
    lines = told.out.splitlines()
    assert ("+15 B" in lines[1], "here 1" in lines[1]) == (True, True)
    assert ("oldest known" in lines[2], "shed 1" in lines[2]) == (True, True)
    assert folder.out.splitlines()[1].endswith("here 1, shed 1")


def test_a_repository_out_of_reach_is_told_and_the_rest_is_listed(
    world: World, copied: Path
) -> None:
    world.take("tank/home")
    (world.root / "repositories").rename(world.root / "unplugged")

    told = world.run("list", str(copied / "ada"))

    assert told.code == 3
    assert "repository shed could not be asked" in told.err
    assert "here 1" in told.out


def test_of_a_pool_that_stands_still_a_repository_gives_what_it_has(
    world: World, copied: Path, tmp_path: Path
) -> None:
    world.take("tank/home")
    world.faults.health("tank", "SUSPENDED")

    listed = world.run("list", str(copied / "ada"))
    all_of_it = world.run("list")
    done = world.run("restore", str(copied / "ada" / "odd"), "--to", str(tmp_path / "back"))

    assert (listed.code, all_of_it.code, done.code) == (3, 3, 0), done.err
    assert "here could not be asked: pool tank is SUSPENDED" in listed.err
    assert "shed 1" in listed.out
    assert "BKP010: pool tank is SUSPENDED" in all_of_it.err
    assert "not from this host: pool tank is SUSPENDED" in done.err
    assert (tmp_path / "back" / "plain").read_bytes() == b"content 0\n"


def test_a_damaged_repository_gives_no_half_and_says_so(world: World, copied: Path) -> None:
    for pack in (world.root / "repositories" / "shed" / "data").glob("*/*"):
        pack.chmod(0o600)
        data = bytearray(pack.read_bytes())
        data[len(data) // 3] ^= 1
        pack.write_bytes(data)

    done = world.run("restore", str(copied / "ada"), "--to", str(copied / "again"))

    assert done.code == 1
    assert not (copied / "again").exists()
    assert holders(copied) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_of_several_that_are_done_at_once_one_gets_the_name(tmp_path: Path, kind: str) -> None:
    for place in (tmp_path / f"place-{number}" for number in range(50)):
        several = [tmp_path / f"{place.name}.{number}" for number in range(4)]
        for made in several:
            if kind == "folder":
                made.mkdir()
            (made / "in it" if kind == "folder" else made).write_text(made.name)

        with ThreadPoolExecutor(4) as pool:
            ended = list(pool.map(lambda made, place=place: named(made, place), several))

        assert sorted(ended) == [False, False, False, True]
        won = several[ended.index(True)].name
        assert (place / "in it" if kind == "folder" else place).read_text() == won


def named(made: Path, place: Path) -> bool:
    """Whether it got the name."""
    try:
        give_name(made, place)
    except InTheWay:
        return False
    return True


def test_nothing_is_moved_into_another_file_system(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "file").write_bytes(b"old")
    merged = Merged()

    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        _merge(made, Path(name), merged)

        assert (merged.refused, os.listdir(name)) == ([Path(name)], [])
