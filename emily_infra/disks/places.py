"""Which disk is behind a name: of host.yaml, of a pool's member, of the kernel."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from emily_infra.observe import Observation
from emily_infra.observe.disks import Disk
from emily_infra.observe.pools import Pool
from emily_infra.observe.vdevs import Vdev
from emily_infra.spec import storage
from emily_infra.zfs.members import member
from emily_infra.zfs.shapes import Names


@dataclass(frozen=True)
class Place:
    """A disk of host.yaml that a pool is on: whole, or with these partitions."""

    disk: str
    body: storage.Disk
    numbers: tuple[str, ...] = ()


def places(spec: storage.Storage, pool: str) -> tuple[Place, ...]:
    """The disks of a pool in the order of host.yaml; what `storage.disks` lacks is left out."""
    return places_of(members(spec.pools[pool]), spec.disks)


def places_of(names: Iterable[str], disks: Mapping[str, storage.Disk]) -> tuple[Place, ...]:
    """The disks that these members are on."""
    numbers: dict[str, list[str]] = {}
    for name in names:
        if found := member(name, disks):
            own = numbers.setdefault(found.disk, [])
            own += [found.partition] if found.partition else []
    return tuple(
        Place(disk, disks[disk], tuple(dict.fromkeys(parts))) for disk, parts in numbers.items()
    )


def members(body: storage.Pool) -> Iterator[str]:
    """Every member of a pool."""
    for _, _, vdev in body.vdevs:
        yield from vdev.disks
    yield from (*body.cache, *body.spares)


@dataclass(frozen=True)
class Members:
    """Which members of pools are on which disk, seen from both sides."""

    spec: storage.Storage
    seen: Observation

    def by_id(self, name: str) -> Disk | None:
        """The disk with this name under /dev/disk/by-id."""
        return next((disk for disk in self.seen.disks if name in disk.ids), None)

    def device(self, leaf: Vdev) -> str:
        """The kernel's name of a member, or nothing where the machine has no such device."""
        return self.seen.device(leaf)

    def is_there(self, leaf: Vdev) -> bool:
        """Whether the machine still has its device: ZFS may not have noticed that it left."""
        return bool(self.device(leaf))

    def disk(self, leaf: Vdev) -> Disk | None:
        """The disk that a member is on."""
        device = self.device(leaf)
        return next((disk for disk in self.seen.disks if device and device in disk.devices), None)

    def name(self, leaf: Vdev) -> str:
        """A member as host.yaml calls it, or as the pool does."""
        return self._names.of(leaf)

    def called(self, leaf: Vdev) -> str:
        """The same with its bay, for who has to pull it."""
        name = self.name(leaf)
        body = self.spec.disks.get(_disk_of(name, self.spec.disks))
        return name if body is None or body.bay is None else f"{name} (bay {body.bay})"

    @property
    def _names(self) -> Names:
        declared = {name for body in self.spec.pools.values() for name in members(body)}
        return Names(self.seen.device_names, declared | self.spec.disks.keys())

    def on(self, disk: str) -> Iterator[tuple[Pool, Vdev]]:
        """The members of imported pools that are on a disk of this name, present or not."""
        found = self.by_id(disk)
        for pool in self.seen.pools:
            for leaf in pool.leaves:
                behind = self.disk(leaf)
                named = self.name(leaf)
                if (behind and behind == found) or _disk_of(named, self.spec.disks) == disk:
                    yield pool, leaf


def _disk_of(name: str, known: Mapping[str, storage.Disk]) -> str:
    """The disk that a member's name is about."""
    if name in known:
        return name
    return name.rpartition("-part")[0] if "-part" in name else name
