"""How long a replaced disk takes to be filled: a range, whose assumptions are named here.

How fast disks are has been measured by others on other pools; the load beside a resilver, a disk
that fails slowly and shingled disks are not in it, and make it longer.
"""

from typing import NamedTuple

from emily_infra.zfs.capacity import COMFORTABLE_PERCENT
from emily_infra.zfs.geometry import KIB, Copies, Draid, Raidz
from emily_infra.zfs.vdev import Media, Top

DAY = 86_400
"""Seconds."""


class Span(NamedTuple):
    """A figure at best and at worst."""

    best: float
    worst: float


LINEAR: dict[Media, Span] = {"hdd": Span(190e6, 130e6), "ssd": Span(1_500e6, 200e6)}
"""Bytes a second of one disk from its first block to its last.

Data sheets of 12 TB disks give 240 to 255 MB/s at the rim, those of slower NAS disks 180; the mean
over the whole disk is about three quarters. SSDs: NVMe, and a SATA disk whose write cache is full.
"""
HEALING = 3
"""So many times a linear pass at worst, with large records: openzfs/zfs#15494 tells of 3 to 5."""
SMALL_RECORDS: dict[Media, float] = {"hdd": 20e6, "ssd": 65e6}
"""Bytes a second of one disk at worst, with small records on raidz.

1.6 GB/s over 80 spinning disks in raidz2 with the files of /usr, sorted as since 0.8
(openzfs/zfs#6256). An SSD needs no sorting: a third of a linear pass, as with large records.
"""
SMALL = 128 * KIB
"""Records below this count as small."""


def resilver(top: Top, record: int) -> Span | None:
    """Days until a replaced disk is whole, or nothing where none can be replaced.

    The vdev is 80 % full; RECORD is the smallest recordsize of its datasets. Only what is allocated
    is written. A mirror can be copied in order (`zpool replace -s`), a raidz only be healed record
    by record (zpool-replace(8)); the distributed spare of a dRAID is written by all disks at once.
    """
    if not top.layout.failures_survived:
        return None
    pace = rates(top, record)
    work = allocated(top) * _work(top)
    return Span(work / pace.best / DAY, work / pace.worst / DAY)


def allocated(top: Top) -> float:
    """Bytes in use on each disk of a vdev that is 80 % full."""
    layout = top.layout
    return top.size * layout.copies / layout.width * COMFORTABLE_PERCENT / 100


def rates(top: Top, record: int) -> Span:
    """Bytes a second of the busiest disk."""
    linear = LINEAR[top.media]
    healing = linear.worst / HEALING
    if isinstance(top.layout, Raidz) and record < SMALL:
        return Span(linear.best, min(healing, SMALL_RECORDS[top.media]))
    return Span(linear.best, healing)


def _work(top: Top) -> float:
    """What the busiest disk reads and writes, in units of what was on the failed one.

    A distributed spare: for every block of it a stripe's data is read and the block written, and
    all disks that are left share that (vdev_rebuild.c, vdev_draid.c).
    """
    layout = top.layout
    if isinstance(layout, Draid) and layout.spares:
        return min(1.0, (layout.data + 1) / (layout.width - 1))
    return 1.0


def way(top: Top) -> str:
    """How the disk is filled."""
    match top.layout:
        case Copies():
            return "copied in order, or healed"
        case Draid(spares=spares) if spares:
            return "onto spare room on all disks"
    return "healed record by record"
