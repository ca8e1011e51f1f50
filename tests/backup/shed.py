"""A repository called shed, as tests ask it: by the real restic, past our own program."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from tests.backup.world import World

ALL = ("tank/home", "tank/home/photos", "tank/db")


def fill(world: World, empty: Path) -> World:
    """Give a host a repository, files, and a snapshot of them."""
    shutil.copytree(empty, world.root / "repositories/shed")
    world.write("tank/home", "letter", b"dear all")
    world.write("tank/home/photos", "cat", os.urandom(300_000))
    world.write("tank/db", "table", os.urandom(100_000))
    world.take(*ALL)
    return world


def restic(world: World, *argv: str, name: str = "shed") -> str:
    """What restic says of a repository."""
    url = json.loads(world.config.read_text())["repositories"][name]["url"]
    cache = str(world.root / "cache/restic" / name)
    password = str(world.root / "secrets/restic")
    words = ("-r", url, "--password-file", password, "--cache-dir", cache)
    done = world.program("restic", *words, *argv)
    assert done.code == 0, done.err
    return done.out


def copies(world: World) -> list[dict[str, Any]]:
    """The copies in the repository, in the order in which they were made."""
    found: list[dict[str, Any]] = json.loads(restic(world, "snapshots", "--json"))
    return sorted(found, key=lambda copy: str(copy["summary"]["backup_start"]))


def next_hour(world: World) -> str:
    """An hour later there is another snapshot."""
    world.later(hours=1)
    return world.take(*ALL)


def figures(world: World) -> dict[str, float]:
    """The metrics of the repository."""
    text = (world.root / "metrics" / "emily-offsite-shed.prom").read_text()
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name.partition("{")[0]: float(value) for name, value in lines}


def restored(world: World, dataset: str) -> Path:
    """A dataset as the newest copy has it."""
    target = world.root / "restored"
    restic(world, "restore", "latest", "--sparse", "--target", str(target))
    return (
        target
        / str(world.here().settings.paths.source).lstrip("/")
        / str(world.mountpoint(dataset)).lstrip("/")
    )


def clean(world: World) -> bool:
    """Whether no hold, no mount and no lock is left."""
    names = [f"{each}@{name}" for each in ALL for name in world.snapshots(each)]
    held = [name for name in names if world.holds(name)]
    return not held and not world.mounts_left() and not restic(world, "list", "locks")
