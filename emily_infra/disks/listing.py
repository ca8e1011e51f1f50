"""Every disk: what it is, where it is, what it is for, and what would be left without it."""

from collections.abc import Iterator
from dataclasses import dataclass

from emily_infra.disks.places import Members
from emily_infra.disks.redundancy import Redundancy
from emily_infra.observe import Observation
from emily_infra.observe.disks import Disk
from emily_infra.observe.vdevs import Vdev
from emily_infra.spec.storage import Storage

_WELL = ("ONLINE", "AVAIL", "INUSE")


@dataclass(frozen=True)
class Part:
    """What a disk is to one pool."""

    pool: str
    role: str
    vdev: str
    leaf: Vdev
    left: int
    """How many more members of its vdev may fail; below 0 its data is out of reach."""

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong with it there."""
        return self.leaf.state in _WELL and not self.leaf.errors


@dataclass(frozen=True)
class Row:
    """A disk."""

    name: str
    """In host.yaml, or else the first that the machine has for it."""
    found: Disk | None
    bay: int | None = None
    declared: bool = True
    parts: tuple[Part, ...] = ()

    @property
    def state(self) -> str:
        """The worst that is to be said of it, in one word."""
        if self.found is None:
            return "MISSING"
        ill = [part.leaf.state for part in self.parts if part.leaf.state not in _WELL]
        if ill:
            return ill[0]
        return "ERRORS" if any(part.leaf.errors for part in self.parts) else "well"

    @property
    def is_well(self) -> bool:
        """Whether nobody has to look after it."""
        return self.state == "well" and all(part.left >= 0 for part in self.parts)


def rows(spec: Storage, seen: Observation) -> tuple[Row, ...]:
    """Those of host.yaml in its order, then what else the machine has."""
    members = Members(spec, seen)
    found = [
        Row(name, members.by_id(name), body.bay, parts=tuple(_parts(members, name)))
        for name, body in spec.disks.items()
    ]
    known = {row.found.name for row in found if row.found}
    return (*found, *_others(members, known))


def _others(members: Members, known: set[str]) -> Iterator[Row]:
    for disk in members.seen.disks:
        if disk.name not in known and not disk.name.startswith(("loop", "zd", "zram")):
            name = disk.ids[0] if disk.ids else disk.name
            parts = tuple(_parts(members, name)) if disk.ids else ()
            yield Row(name, disk, declared=False, parts=parts)


def _parts(members: Members, disk: str) -> Iterator[Part]:
    for pool, leaf in members.on(disk):
        redundancy = Redundancy(pool, members.is_there)
        top = redundancy.top(leaf)
        vdev = "" if top == leaf else top.name
        yield Part(pool.name, top.role, vdev, leaf, redundancy.left(top))
