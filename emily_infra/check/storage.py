"""Rules about disks and partitions: that each exists, fits, and is used once."""

from collections.abc import Iterator
from dataclasses import dataclass

from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Path, Severity, dotted
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.storage import Disk, Pool, Vdev
from emily_infra.spec.units import approximately
from emily_infra.zfs.members import Disks, member

MIB = 1 << 20


@dataclass(frozen=True)
class Group:
    """A vdev of host.yaml with its place."""

    at: Path
    role: str
    """data, special or log."""
    pool: Pool
    vdev: Vdev

    @property
    def uses(self) -> Iterator[tuple[Path, str]]:
        """Every member with its place."""
        for index, name in enumerate(self.vdev.disks):
            place = () if self.vdev.kind == "disk" else (index,)
            yield (*self.at, self.vdev.kind, *place), name


def groups(spec: HostSpec) -> Iterator[Group]:
    """Every vdev of every pool, pools by name."""
    for name, pool in sorted(spec.storage.pools.items()):
        for role, index, vdev in pool.vdevs:
            yield Group(("storage", "pools", name, role, index), role, pool, vdev)


def uses(spec: HostSpec) -> Iterator[tuple[Path, str]]:
    """Every disk or partition that a pool asks for, with the place."""
    for group in groups(spec):
        yield from group.uses
    for name, pool in sorted(spec.storage.pools.items()):
        for role, names in (("cache", pool.cache), ("spares", pool.spares)):
            for index, disk in enumerate(names):
                yield ("storage", "pools", name, role, index), disk


@host_rule(
    "STO001", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong="storage:\n  pools:\n    tank:\n      spares: [ata-WDC_WD40EFRX_1]\n",
    right="storage:\n  disks:\n    ata-WDC_WD40EFRX_3: { size: 4TB }\n"
          "  pools:\n    tank:\n      spares: [ata-WDC_WD40EFRX_3]\n",
)  # fmt: skip
def a_disk_is_used_twice(host: Host) -> Iterator[Problem]:
    """A disk or partition is used twice

    Two vdevs that write to the same sectors destroy each other. This covers a name that stands
    twice, in vdevs, spares or cache of any pools, and a whole disk beside one of its partitions.
    ZFS would let two pools share a spare, but only the first of them to need it gets it; a spare
    that may not be there is none.
    """
    on_disk: dict[str, dict[str, Path]] = {}
    for at, name in uses(host.spec):
        found = member(name, host.spec.storage.disks)
        disk = found.disk if found else name
        taken = on_disk.setdefault(disk, {})
        kin = name if name in taken else next(iter(taken), None) if name == disk else disk
        if kin in taken:
            message = f"{name} is already in use: {kin} at {dotted(taken[kin])}"
            yield Problem(at, message, "use each disk, or each of its partitions, in one place")
        taken.setdefault(name, at)


@host_rule(
    "STO002", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong="storage:\n  pools:\n    tank:\n      spares: [ata-WDC_WD40EFRX_3]\n",
    right="storage:\n  disks:\n    ata-WDC_WD40EFRX_3: { size: 4TB }\n"
          "  pools:\n    tank:\n      spares: [ata-WDC_WD40EFRX_3]\n",
)  # fmt: skip
def a_member_is_not_declared(host: Host) -> Iterator[Problem]:
    """A pool asks for a disk or partition that is not declared for it

    Only what stands under `storage.disks` is ever touched. A member is the name of a disk without
    partitions, or DISK-partN of a partition whose use is zfs. A whole disk whose partitions are
    declared would lose them, and with them the boot loader or the swap space on it.
    """
    for at, name in uses(host.spec):
        if complaint := _not_for_pools(name, host.spec.storage.disks):
            yield Problem(at, *complaint)


def _not_for_pools(name: str, disks: Disks) -> tuple[str, str] | None:
    found = member(name, disks)
    if found is None:
        disk, _, number = name.rpartition("-part")
        if disk in disks:
            hint = (
                f"add under storage.disks.{disk}.partitions: {number}: {{ size: 100GB, use: zfs }}"
            )
            return f"{disk} has no partition {number}", hint
        hint = f"add under storage.disks: {name}: {{ size: 12TB }}, with its real size"
        return f"{name} is not declared under storage.disks", hint
    partitions = disks[found.disk].partitions
    if found.partition is None and partitions:
        hint = f"use a partition, such as {name}-part{min(partitions)}, or declare none"
        return f"{name} is used whole, but has {len(partitions)} partitions", hint
    if found.partition and partitions[found.partition].use != "zfs":
        use = partitions[found.partition].use
        return f"{name} is for {use}, not for a pool", "set its use to zfs, or take another"
    return None


@host_rule(
    "STO008", Severity.ERROR,
    wrong="storage:\n  disks:\n    nvme-A:\n      size: 500GB\n      media: ssd\n"
          "      partitions:\n        1: { size: 500GB, use: other }\n",
    right="storage:\n  disks:\n    nvme-A:\n      size: 500GB\n      media: ssd\n"
          "      partitions:\n        1: { size: 499GB, use: other }\n",
)  # fmt: skip
def partitions_exceed_the_disk(host: Host) -> Iterator[Problem]:
    """The partitions do not fit on their disk

    Partitions begin at whole MiB; the first MiB and the last belong to the two copies of the
    partition table. Disks of one nominal size also differ by some MB from maker to maker: leave a
    little room, so that a replacement can be partitioned alike.
    """
    for name, disk in sorted(host.spec.storage.disks.items()):
        needed = space_for(disk)
        if disk.partitions and needed > disk.size:
            over = approximately(needed - disk.size)
            message = f"the partitions of {name} need {over} more than its {disk.size}"
            hint = "make one of them smaller; 1MiB in front and behind is for the partition table"
            yield Problem(("storage", "disks", name, "partitions"), message, hint)


def space_for(disk: Disk) -> int:
    """Bytes that a disk's partitions take, each from one whole MiB to another, with both tables."""
    return 2 * MIB + sum(-(-part.size // MIB) * MIB for part in disk.partitions.values())


@host_rule(
    "STO011", Severity.ERROR,
    wrong="storage:\n  disks:\n    nvme-A:\n      size: 500GB\n      media: ssd\n"
          "      partitions:\n        1: { size: 200GB, use: zfs }\n"
          "        2: { size: 200GB, use: zfs }\n"
          "  pools:\n    fast:\n      data:\n        - mirror: [nvme-A-part1, nvme-A-part2]\n",
    right="storage:\n  disks:\n    nvme-A: &nvme\n      size: 500GB\n      media: ssd\n"
          "      partitions:\n        1: { size: 200GB, use: zfs }\n    nvme-B: *nvme\n"
          "  pools:\n    fast:\n      data:\n        - mirror: [nvme-A-part1, nvme-B-part1]\n",
)  # fmt: skip
def redundancy_on_one_disk(host: Host) -> Iterator[Problem]:
    """Two members of a vdev are on one physical disk

    Redundancy counts disks, not partitions. When this disk fails, several members are gone at
    once: a mirror of two partitions of one disk is a slow single disk.
    """
    for group in groups(host.spec):
        on_disk: dict[str, list[str]] = {}
        for name in sorted(set(group.vdev.disks)):
            if found := member(name, host.spec.storage.disks):
                on_disk.setdefault(found.disk, []).append(name)
        for disk, names in on_disk.items():
            if len(names) > 1:
                message = f"{' and '.join(names)} fail together: both are on {disk}"
                yield Problem(group.at, message, "take each member of a vdev from another disk")
