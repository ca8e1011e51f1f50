"""Looking around in what was kept."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.backup import kept
from tests.backup.world import World


@pytest.fixture
def name(world: World) -> str:
    world.write("tank/home", "notes", b"as it was")
    return f"tank/home@{world.take('tank/home', 'tank/home/photos', 'tank/db')}"


def shown(world: World, source: str, place: Path, file: str) -> "subprocess.Popen[bytes]":
    """`backup mount`, once a file can be seen."""
    process = world.begin("mount", source, str(place))
    until = time.monotonic() + 60
    while not list(place.glob(file)) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    return process


def test_a_snapshot_is_shown_until_ctrl_c_and_nothing_is_left(world: World, name: str) -> None:
    place = world.root / "look"
    process = shown(world, name, place, "notes")
    seen = (place / "notes").read_bytes()
    held = world.holds(name)

    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)

    assert (seen, len(held)) == (b"as it was", 1)
    assert (process.returncode, b"closed" in said) == (0, True)
    assert (place.exists(), world.holds(name), world.mounts_left()) == (False, set(), [])


def test_a_folder_with_something_in_it_is_refused(world: World, name: str) -> None:
    home = world.mountpoint("tank/home")

    done = world.run("mount", name, str(home))

    assert (done.code, "is no empty folder" in done.err) == (1, True)
    assert (home / "notes").exists()
    assert world.holds(name) == set()


def test_the_hold_of_a_killed_mount_goes_with_the_next(world: World, name: str) -> None:
    process = shown(world, name, world.root / "one", "notes")
    process.kill()
    process.wait()
    world.program("umount", str(world.root / "one"))

    done = world.run("mount", f"{name}x", str(world.root / "two"))

    assert (done.code, "there is no snapshot" in done.err) == (1, True)
    assert world.holds(name) == set()


@pytest.mark.skipif(
    not shutil.which("fusermount3") or not os.access("/dev/fuse", os.W_OK), reason="no FUSE here"
)
def test_a_repository_is_shown_until_ctrl_c(world: World, name: str) -> None:
    assert name
    kept.made(world)
    kept.copy(world)
    place = world.root / "look"
    process = shown(world, "shed", place, "snapshots/latest")
    seen = [path.read_bytes() for path in place.glob("snapshots/latest/**/home/notes")]

    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)

    assert (seen, process.returncode, place.exists()) == ([b"as it was"], 0, False)


def test_a_host_without_fuse_is_told_what_to_do(world: World) -> None:
    world.environment["PATH"] = f"{world.root}/bin:/nonexistent"

    done = world.run("mount", "shed", str(world.root / "look"))

    assert (done.code, "fusermount3 is not here" in done.err) == (1, True)
    assert not (world.root / "look").exists()
