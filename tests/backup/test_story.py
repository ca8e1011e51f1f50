"""Nights, some of them bad, and what status says each morning; EMILY_NIGHTS=30 is a month."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emily_infra.backup import coverage, status, upkeep
from emily_infra.backup.coverage import Kind
from tests.backup.shed import ALL, restic
from tests.backup.test_recover import lose
from tests.backup.world import World

HOME = "tank/home"
FIRST = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=1)
NIGHTS = int(os.environ.get("EMILY_NIGHTS", "14"))
NO_NETWORK, WRONG_CLOCK, FULL, KILLED = "no network", "wrong clock", "full", "killed"
BAD = {2: NO_NETWORK, 5: FULL, 8: KILLED, 11: WRONG_CLOCK}
"""Each is seen the next morning, and made up for the next night."""
NO_ROOM = """#!/bin/sh
case "$*" in *backup*) echo "Fatal: unable to save: no space left on device" >&2; exit 1 ;; esac
exec {restic} "$@"
"""


@pytest.fixture
def month(shed: World, tmp_path: Path) -> World:
    """A host on the evening before, with a key to sign drills."""
    key = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key"))
    subprocess.run(key, check=True)
    raw = json.loads(shed.config.read_text())
    raw["policies"] = {"daily": {"daily": 30, "monthly": 6}}
    raw["repositories"]["shed"]["verify"] = {"subsets": 2, "period": 345600, "whole_in": 1209600}
    raw["drill"] = {"period": 604800, "files": 20, "size": 1000000}
    shed.config.write_text(json.dumps(raw))
    return shed


def night(world: World, number: int) -> None:
    """What the timers do from 02:00 on."""
    world.at(FIRST + timedelta(days=number))
    world.write(HOME, f"diary/{number:02}", os.urandom(1000))
    here = world.here()
    assert not [each.trouble for each in upkeep.upkeep(here, upkeep.Order()) if each.trouble]
    assert world.run("offsite", "shed").code == 0
    if number % 4 == 0:
        assert world.run("verify", "shed").code == 0
        assert world.run("prune", "shed").code == 0
        key = ("--host-key", str(world.root / "key"))
        done = world.run("drill", *key)
        assert done.code == 0, done.err + done.out


def bad_night(world: World, number: int, what: str) -> None:
    """One thing is as it should not be, and nobody is there to see it."""
    world.at(FIRST + timedelta(days=number))
    place = world.root / "repositories"
    if what == NO_NETWORK:
        place.rename(world.root / "away")
        upkeep.upkeep(world.here(), upkeep.Order())
        assert world.run("offsite", "shed").code == 1
        (world.root / "away").rename(place)
    elif what == WRONG_CLOCK:
        world.at(FIRST + timedelta(days=3650))
        upkeep.upkeep(world.here(), upkeep.Order())
    elif what == FULL:
        real = subprocess.check_output(["which", "restic"], text=True).strip()
        world.script("restic", NO_ROOM.format(restic=real))
        upkeep.upkeep(world.here(), upkeep.Order())
        assert world.run("offsite", "shed").code == 1
        (world.root / "bin" / "restic").unlink()
    else:
        upkeep.upkeep(world.here(), upkeep.Order())
        world.watch("restic")
        world.faults.kill("restic", "backup")
        assert world.run("offsite", "shed").code < 0
        world.faults.clear()


def morning(world: World, number: int) -> list[str]:
    """What is not kept, at eight."""
    world.at(FIRST + timedelta(days=number, hours=6))
    here = world.here()
    return [each.what for each in coverage.broken(here.settings, status.look(here), here.now())]


def test_nights_good_and_bad(month: World) -> None:
    copies = "repository shed: copies of tank/db, tank/home, tank/home/photos"
    late: dict[int, list[str]] = {}
    for number in range(NIGHTS):
        if number in BAD:
            bad_night(month, number, BAD[number])
        else:
            night(month, number)
        late[number] = morning(month, number)
        if BAD.get(number) == WRONG_CLOCK:
            assert month.run("expire", "--clock-is-right").code == 0

    for number, said in late.items():
        assert (copies in said) == (number in BAD), (number, late)
    assert [number for number, said in late.items() if said] == [n for n in BAD if n < NIGHTS]


def test_nothing_was_lost_after_bad_nights(month: World) -> None:
    for number, what in enumerate(("", NO_NETWORK, "", KILLED, "")):
        if what:
            bad_night(month, number, what)
        else:
            night(month, number)
    lose(month)

    done = month.run("recover", "box")

    assert done.code == 0, done.err
    diary = sorted(each.name for each in (month.mountpoint(HOME) / "diary").iterdir())
    assert diary == ["00", "02", "04"]
    assert [len(month.snapshots(each)) > 0 for each in ALL] == [True] * 3
    assert not restic(month, "list", "locks")
    place = status.look(month.here()).places[Kind.REPOSITORY, "shed"]
    assert place.trouble == ""
