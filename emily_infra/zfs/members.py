"""What a member of a pool is: a whole disk, or a partition named DISK-partN."""

from collections.abc import Mapping
from dataclasses import dataclass

from emily_infra.spec.storage import Disk
from emily_infra.zfs.geometry import whole_disk_partition

Disks = Mapping[str, Disk]


@dataclass(frozen=True)
class Member:
    """A member with the disk it is on."""

    name: str
    disk: str
    partition: str | None
    sold: int
    """Bytes as host.yaml gives them."""
    usable: int
    """Bytes of the partition that ZFS gets."""


def member(name: str, disks: Disks) -> Member | None:
    """The member behind a name, or nothing where `storage.disks` does not know it."""
    if name in disks:
        size = int(disks[name].size)
        return Member(name, name, None, size, whole_disk_partition(size))
    disk, _, number = name.rpartition("-part")
    partition = disks[disk].partitions.get(number) if disk in disks else None
    if partition is None:
        return None
    return Member(name, disk, number, int(partition.size), int(partition.size))


def members(names: tuple[str, ...], disks: Disks) -> list[Member] | None:
    """All of them, or nothing where one is unknown."""
    found = [member(name, disks) for name in names]
    known = [each for each in found if each]
    return known if len(known) == len(found) else None
