"""The pools that are created to hold the forecast against them."""

from dataclasses import dataclass

from emily_infra.zfs.capacity import Capacity, predict
from emily_infra.zfs.geometry import GIB, MIB, Copies, Draid, Layout, Raidz, leaf_size
from emily_infra.zfs.vdev import Top

GB, TB = 10**9, 10**12


@dataclass(frozen=True)
class Case:
    """A pool of equal data vdevs, perhaps with a special mirror."""

    layout: Layout
    disk: int
    """Bytes."""
    count: int = 1
    special: int = 0
    """Bytes of each disk of a special two-way mirror, 0 for none."""

    @property
    def words(self) -> str:
        """A data vdev as `zpool create` wants it, without its disks."""
        match self.layout:
            case Copies(copies=1):
                return ""
            case Copies():
                return "mirror"
            case Raidz(parity=parity):
                return f"raidz{parity}"
            case Draid(width=width, parity=parity, data=data, spares=spares):
                return f"draid{parity}:{data}d:{width}c:{spares}s"
        raise ValueError(self.layout)

    @property
    def name(self) -> str:
        """What a person calls it."""
        width = "" if isinstance(self.layout, Draid) else f"-{self.layout.width}"
        parts = [
            f"{self.count}x " if self.count > 1 else "",
            f"{self.words or 'disk'}{width if self.words else ''}",
            f" + special {_said(self.special)}" if self.special else "",
        ]
        return "".join(parts)

    @property
    def forecast(self) -> Capacity:
        """What we say that it will hold."""
        data = Top(self.layout, leaf_size(self.disk), self.disk * self.layout.width)
        mirror = Copies(self.layout.ashift, 2)
        special = Top(mirror, leaf_size(self.special), 2 * self.special)
        return predict([data] * self.count, [special] if self.special else [])

    @property
    def size_of_a_disk(self) -> str:
        """As on a label."""
        return _said(self.disk)


def _said(size: int) -> str:
    for unit, scale in (("TB", TB), ("GiB", GIB), ("GB", GB), ("MiB", MIB)):
        if size % scale == 0 and size >= scale:
            return f"{size // scale} {unit}"
    return f"{size} B"


def _mirror(width: int, ashift: int = 12) -> Layout:
    return Copies(ashift, width)


def _raidz(parity: int, width: int, ashift: int = 12) -> Layout:
    return Raidz(ashift, width, parity)


def _draid(numbers: tuple[int, int, int, int], ashift: int = 12) -> Layout:
    parity, data, width, spares = numbers
    return Draid(ashift, width, parity, data, spares)


CASES = (
    Case(_mirror(1), 1 * GIB),
    Case(_mirror(1, 9), 100 * GB),
    Case(_mirror(1), 20 * TB),
    Case(_mirror(2, 9), 1 * GIB),
    Case(_mirror(2), 1 * GIB),
    Case(_mirror(2), 500 * GB),
    Case(_mirror(2), 4 * TB),
    Case(_mirror(2), 12 * TB),
    Case(_mirror(2, 9), 20 * TB),
    Case(_mirror(3), 100 * GB),
    Case(_mirror(2), 1 * TB, count=7),
    Case(_raidz(1, 3), 1 * GIB),
    Case(_raidz(1, 3, 9), 1 * GIB),
    Case(_raidz(1, 3), 20 * TB),
    Case(_raidz(1, 4), 100 * GB),
    Case(_raidz(1, 5), 500 * GB),
    Case(_raidz(1, 6, 9), 10 * GIB),
    Case(_raidz(1, 7), 10 * GIB),
    Case(_raidz(1, 9), 1 * TB),
    Case(_raidz(1, 14), 100 * GB),
    Case(_raidz(2, 4), 1 * GIB),
    Case(_raidz(2, 5, 9), 100 * GB),
    Case(_raidz(2, 6), 500 * GB),
    Case(_raidz(2, 7, 9), 1 * GIB),
    Case(_raidz(2, 7), 2 * TB),
    Case(_raidz(2, 8), 100 * GB),
    Case(_raidz(2, 9), 500 * GB),
    Case(_raidz(2, 10), 10 * GIB),
    Case(_raidz(2, 11, 9), 100 * GB),
    Case(_raidz(2, 12), 1 * GIB),
    Case(_raidz(2, 13), 100 * GB),
    Case(_raidz(2, 14), 500 * GB),
    Case(_raidz(2, 7), 1 * TB, count=2),
    Case(_raidz(2, 6, 13), 100 * GB),
    Case(_raidz(3, 5, 9), 1 * GIB),
    Case(_raidz(3, 7), 100 * GB),
    Case(_raidz(3, 8), 500 * GB),
    Case(_raidz(3, 9, 9), 10 * GIB),
    Case(_raidz(3, 11), 100 * GB),
    Case(_raidz(3, 14), 500 * GB),
    Case(_draid((1, 4, 6, 1)), 10 * GIB),
    Case(_draid((2, 4, 8, 1), 9), 1 * GIB),
    Case(_draid((2, 5, 14, 0)), 500 * GB),
    Case(_draid((2, 5, 14, 1)), 100 * GB),
    Case(_draid((3, 8, 14, 0)), 500 * GB),
    Case(_mirror(2), 1 * TB, special=10 * GIB),
    Case(_raidz(2, 7), 1 * TB, special=64 * GB),
    Case(_raidz(2, 7), 500 * GB, count=2, special=64 * GB),
)
"""Sparse files make any size; what takes time are metaslabs, beyond 3 TB one for every 16 GiB."""
FILLED = (
    Case(_mirror(2), 1 * GIB),
    Case(_raidz(1, 5, 9), 1 * GIB),
    Case(_raidz(2, 7), 1 * GIB),
    Case(_draid((1, 4, 6, 1)), 1 * GIB),
)
"""Written to, record by record."""
