"""Room for a drill: a dataset made for it, or a folder where the pool has none to spare."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emily_infra.backup.faults import NoRoom
from emily_infra.backup.here import Here
from emily_infra.backup.names import pool_of
from emily_infra.backup.restoring.dataset import mount, scratch
from emily_infra.backup.restoring.placing import free, holder
from emily_infra.backup.shielded import apart, away
from emily_infra.machine import CommandFailed, Expired
from emily_infra.spec.units import approximately

SHARE = 0.5
"""Of what is free that a drill may fill; the rest belongs to those who work meanwhile."""
_LEAST = 4 << 20
"""Bytes: a full pool makes no dataset, even one for nothing."""
_FOLDER = "emily-drill-"


@dataclass(frozen=True)
class Room:
    """Where a drill may write, and how much."""

    above: str
    """The dataset that it is made in; empty: in a folder of the cache."""
    bytes: int


def rooms(here: Here, dataset: str) -> list[Room]:
    """On its own pool first, since that has what its files need; then in the cache.

    What is encrypted is restored below itself alone: anywhere else it would lie in the clear.
    """
    sealed = here.run("zfs", "get", "-Hp", "-o", "value", "encryption", dataset).strip() != "off"
    above = dataset if sealed else pool_of(dataset)
    found = []
    with contextlib.suppress(CommandFailed, Expired, ValueError):
        left = int(here.run("zfs", "list", "-Hp", "-o", "available", above))
        found.append(Room(above, int(left * SHARE)))
    if not sealed:
        found.append(Room("", int(free(_folder(here)) * SHARE)))
    return found


def enough(found: list[Room], size: int) -> Room:
    """The first that has SIZE bytes; NoRoom where none has."""
    for each in found:
        if each.bytes >= max(size, _LEAST):
            return each
    most = max((each.bytes for each in found), default=0)
    raise NoRoom(
        f"a drill would write {approximately(size)}, and may fill {approximately(most)} at most",
        hint="half of what is free on the pool, or below paths.cache, may be filled: make room, or "
        "drill a smaller share: backup.drill.size in host.yaml",
    )


@contextlib.contextmanager
def taken(here: Here, room: Room) -> Iterator[Path]:
    """A folder to fill, which is gone afterwards; what killed drills left goes first."""
    if room.above:
        with scratch(here, room.above, "drill", quota=room.bytes) as (name, base):
            base.chmod(0o711)  # the database of a check runs as another user
            place = base / "space"
            place.mkdir()
            try:
                mount(here, name, place)
                yield place
            finally:  # a Ctrl-C may come when the mount is there and its command has not ended
                away(here, place)
        return
    apart()
    with holder(here, _folder(here), _FOLDER, mode=0o711) as place:
        yield place


def _folder(here: Here) -> Path:
    folder = here.settings.paths.cache / "drill"
    folder.mkdir(parents=True, exist_ok=True, mode=0o711)
    return folder
