"""How OpenZFS lays out one top-level vdev, in whole bytes or sectors, rounded as it rounds.

Each function names the OpenZFS source that defines it (2.1.11 and 2.4 agree in all of them).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SECTOR = 512
"""The unit of sizes on disk and of the deflate ratio (SPA_MINBLOCKSIZE)."""
REFERENCE_RECORD = 128 * KIB
"""The record for which ZFS computes what a raidz costs (SPA_OLD_MAXBLOCKSIZE)."""


class Block(NamedTuple):
    """What one record takes on a vdev, in sectors of 2^ashift bytes, compression aside."""

    data: int
    parity: int
    padding: int

    @property
    def sectors(self) -> int:
        """Everything that is allocated for it."""
        return sum(self)


class Layout(Protocol):
    """The shape of a top-level vdev."""

    @property
    def ashift(self) -> int:
        """The sector size as a power of two."""

    @property
    def copies(self) -> int:
        """How often an allocated byte is written: once, but on every disk of a mirror."""

    @property
    def width(self) -> int:
        """How many disks."""

    @property
    def failures_survived(self) -> int:
        """How many of them may fail, whichever they are."""

    @property
    def readers(self) -> float:
        """How many small reads are under way at once, with a head of a disk for each."""

    def top_size(self, leaf: int) -> int:
        """Bytes of the vdev that may hold metaslabs, from those of its smallest leaf."""

    def block(self, record: int) -> Block:
        """What a record of so many bytes takes."""

    def metaslabs(self, top: int, shift: int) -> Mapping[int, int]:
        """How many metaslabs a vdev of so many bytes has, by the bytes that each can allocate."""


@dataclass(frozen=True)
class Copies:
    """One disk, or a mirror of several (vdev_mirror.c)."""

    ashift: int
    copies: int

    @property
    def width(self) -> int:
        """A disk for each copy."""
        return self.copies

    @property
    def failures_survived(self) -> int:
        """All but one."""
        return self.copies - 1

    @property
    def readers(self) -> float:
        """Each copy serves another read."""
        return self.copies

    def top_size(self, leaf: int) -> int:
        """That of the smallest leaf (vdev_mirror_open)."""
        return leaf

    def block(self, record: int) -> Block:
        """Whole sectors (vdev_default_asize)."""
        return Block(_up(record, 1 << self.ashift), 0, 0)

    def metaslabs(self, top: int, shift: int) -> Mapping[int, int]:
        """All alike; what is left of the vdev is never used (vdev_metaslab_init)."""
        return {1 << shift: top >> shift}


@dataclass(frozen=True)
class Raidz:
    """Rows of any length, each with its own parity sectors (vdev_raidz.c)."""

    ashift: int
    width: int
    parity: int
    copies: int = 1

    @property
    def failures_survived(self) -> int:
        """As many as it has parity."""
        return self.parity

    @property
    def readers(self) -> float:
        """One: a record lies on all disks, so that all heads move for it."""
        return 1

    def top_size(self, leaf: int) -> int:
        """All leaves together, each as large as the smallest (vdev_raidz_open)."""
        return leaf * self.width

    def block(self, record: int) -> Block:
        """Parity for every row, then padding to a multiple of parity + 1 (vdev_raidz_asize)."""
        data = _up(record, 1 << self.ashift)
        parity = self.parity * _up(data, self.width - self.parity)
        return Block(data, parity, -(data + parity) % (self.parity + 1))

    def metaslabs(self, top: int, shift: int) -> Mapping[int, int]:
        """All alike; what is left of the vdev is never used (vdev_metaslab_init)."""
        return {1 << shift: top >> shift}


@dataclass(frozen=True)
class Draid:
    """Fixed stripes over all disks, with spares among them; only for comparison (vdev_draid.c)."""

    ashift: int
    width: int
    parity: int
    data: int
    spares: int = 0
    copies: int = 1

    @property
    def group(self) -> int:
        """Disks of one stripe."""
        return self.data + self.parity

    @property
    def failures_survived(self) -> int:
        """As many as it has parity, until a spare among the disks is filled."""
        return self.parity

    @property
    def readers(self) -> float:
        """A read for each stripe that has room beside the others."""
        return (self.width - self.spares) / self.group

    def top_size(self, leaf: int) -> int:
        """Rows of 16 MiB in whole groups, less 32 MiB a disk (vdev_draid_calculate_asize)."""
        row = 16 * MIB
        usable = _down(leaf - 32 * MIB, row) * (self.width - self.spares)
        return _down(max(0, usable), self.group * row)

    def block(self, record: int) -> Block:
        """Whole stripes only, so that a small record pays for a large one (vdev_draid_asize)."""
        data = _up(record, 1 << self.ashift)
        stripes = _up(data, self.data)
        return Block(data, stripes * self.parity, stripes * self.data - data)

    def metaslabs(self, top: int, shift: int) -> Mapping[int, int]:
        """Cut at both ends to whole stripes (vdev_draid_metaslab_init)."""
        stripe = self.group << self.ashift
        return Counter(
            ((index + 1 << shift) // stripe - _up(index << shift, stripe)) * stripe
            for index in range(top >> shift)
        )


def whole_disk_partition(disk: int) -> int:
    """Bytes of the partition that `zpool create` makes on a whole disk of so many bytes.

    2,048 sectors are left in front, 16,384 behind for its ninth partition and 33 for the second
    table; the rest is cut to whole MiB (efi_alloc_and_init, zpool_label_disk).
    """
    return max(0, disk // SECTOR - 33 - 16_384 - 2_048) // 2_048 * 2_048 * SECTOR


def leaf_size(partition: int) -> int:
    """Bytes of a disk, partition or file behind and before the four labels (vdev_open).

    The end is cut to a label's 256 KiB; two labels and 3.5 MiB of boot space stand in front, two
    labels behind (VDEV_LABEL_START_SIZE, VDEV_LABEL_END_SIZE).
    """
    return max(0, _down(partition, 256 * KIB) - 4 * MIB - 512 * KIB)


def metaslab_shift(top: int) -> int:
    """The size of a metaslab as a power of two, for a vdev of so many bytes.

    512 MiB where that gives 16 to 200 metaslabs, else what gives about as many; from 16 MiB to
    16 GiB, unless there would be over 131,072 (vdev_metaslab_set_size).
    """
    count = top >> 29
    shift = 29
    if count < 16:
        shift = (top // 16).bit_length()
    elif count > 200:
        shift = (top // 200).bit_length()
    if shift > 34:
        shift = (top >> 17).bit_length() if top >> 34 > 1 << 17 else 34
    return max(24, shift)


def deflate_ratio(layout: Layout) -> int:
    """Bytes of user data in 512 allocated ones at records of 128 KiB (vdev_set_deflate_ratio).

    Every figure that `zfs list` shows has been through this ratio, whatever the records are.
    """
    sectors = layout.block(REFERENCE_RECORD).sectors
    return REFERENCE_RECORD // ((sectors << layout.ashift) // SECTOR)


def deflated(allocated: int, ratio: int) -> int:
    """Allocated bytes as `zfs list` counts them (vdev_deflated_space)."""
    return allocated // SECTOR * ratio


def _up(number: int, unit: int) -> int:
    """How many units hold a number."""
    return -(-number // unit)


def _down(number: int, unit: int) -> int:
    """The largest multiple of a unit that is not above a number."""
    return number // unit * unit
