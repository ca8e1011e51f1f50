"""What is done to disks, recorded on the machine itself: a line before it and a line after."""

import shlex
from importlib.resources import files
from urllib.parse import quote, unquote

from emily_infra.machine import Machine
from emily_infra.observe import Observation
from emily_infra.observe.deploys import Event
from emily_infra.observe.observation import DISK_EVENTS

_CREATING, _CREATED, _DISK = "creating", "created", "disk:"


def note(machine: Machine, word: str, **details: str) -> None:
    """Add a line to the record; it is on the disk when this returns."""
    words = [word, *(text for pair in details.items() for text in pair)]
    folder = DISK_EVENTS.rpartition("/")[0]
    recorder = files("emily_infra.apply.host").joinpath("record.sh").read_text("utf-8")
    script = f"{recorder}\nD={folder}\nmkdir -p $D && event {shlex.join(words)}\n"
    machine.run("sh", stdin=script, deadline=30)


def begin(machine: Machine, pool: str, serials: dict[str, str]) -> None:
    """Record that a pool is about to be created, on these disks."""
    disks = " ".join(f"{disk}={quote(serial)}" for disk, serial in sorted(serials.items()))
    note(machine, _CREATING, pool=pool, disks=disks)


def end(machine: Machine, pool: str) -> None:
    """Record that it was."""
    note(machine, _CREATED, pool=pool)


def told(seen: Observation) -> tuple[Event, ...]:
    """What a person wants to know of it: notes about single disks are there for `begun` alone."""
    return tuple(e for e in seen.disk_events if not e.details.get("pool", "").startswith(_DISK))


def of_disk(disk: str) -> str:
    """The name under which one disk is noted that is about to join a pool."""
    return f"{_DISK}{disk}"


def begun(seen: Observation, pool: str) -> dict[str, str]:
    """The disks, with their serials, on which a creation of this pool has begun and not ended."""
    open_ones: dict[str, str] = {}
    for event in seen.disk_events:
        if event.details.get("pool") != pool:
            continue
        if event.word == _CREATED:
            open_ones = {}
        elif event.word == _CREATING:
            pairs = (each.partition("=") for each in event.details.get("disks", "").split(" "))
            open_ones |= {disk: unquote(serial) for disk, _, serial in pairs}
    return open_ones
