"""One top-level vdev with its disks: how large, and what of it holds user data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from emily_infra.spec.storage import Vdev
from emily_infra.zfs.geometry import (
    REFERENCE_RECORD,
    Copies,
    Draid,
    Layout,
    Raidz,
    deflate_ratio,
    deflated,
    leaf_size,
    metaslab_shift,
)  # fmt: skip
from emily_infra.zfs.members import Disks, members

Media = Literal["hdd", "ssd"]
EMBEDDED_LOG_ABOVE = 64
"""Metaslabs that a vdev must exceed before one is set apart as log (zfs_embedded_slog_min_ms)."""


@dataclass(frozen=True)
class Top:
    """A top-level vdev; every size in bytes."""

    layout: Layout
    leaf: int
    """Of its smallest member, labels taken off."""
    raw: int
    """Of all members, as sold."""
    media: Media = "hdd"
    """Spinning if any member is."""

    @cached_property
    def metaslabs(self) -> Mapping[int, int]:
        """How many it has of each size."""
        size = self.layout.top_size(self.leaf)
        return self.layout.metaslabs(size, metaslab_shift(size))

    @cached_property
    def size(self) -> int:
        """What `zpool list` counts: parity is in it, copies are not."""
        return sum(size * count for size, count in self.metaslabs.items())

    @cached_property
    def ratio(self) -> int:
        """Its deflate ratio."""
        return deflate_ratio(self.layout)

    @cached_property
    def space(self) -> int:
        """What `zfs list` counts, embedded log and slop not yet taken off."""
        return sum(deflated(size, self.ratio) * n for size, n in self.metaslabs.items())

    @cached_property
    def embedded_log(self) -> int:
        """The metaslab set apart for synchronous writes, deflated (vdev_metaslab_init)."""
        if sum(self.metaslabs.values()) <= EMBEDDED_LOG_ABOVE:
            return 0
        return deflated(max(self.metaslabs), self.ratio)

    @property
    def parity(self) -> int:
        """What redundancy takes of the disks at 128 KiB records: parity sectors, further copies."""
        block = self.layout.block(REFERENCE_RECORD)
        return self.size * block.parity // block.sectors + self.size * (self.layout.copies - 1)

    @property
    def padding(self) -> int:
        """What alignment takes at 128 KiB records."""
        block = self.layout.block(REFERENCE_RECORD)
        return self.size * block.padding // block.sectors

    def charged(self, record: int) -> int:
        """By how much `used` grows for one record of so many bytes that does not compress."""
        block = self.layout.block(record)
        return deflated(block.sectors << self.layout.ashift, self.ratio)


def layout(vdev: Vdev, ashift: int) -> Layout:
    """The shape that a vdev of host.yaml asks for."""
    width, parity = len(vdev.disks), vdev.failures_survived
    if vdev.kind.startswith("raidz"):
        return Raidz(ashift, width, parity)
    if vdev.kind.startswith("draid"):
        data = max(1, min(8, width - parity))  # what zpool takes if it is not told
        return Draid(ashift, width, parity, data)
    return Copies(ashift, width)


def top(vdev: Vdev, ashift: int, disks: Disks) -> Top | None:
    """A vdev of host.yaml with its sizes, or nothing where a member is unknown."""
    return laid(layout(vdev, ashift), vdev.disks, disks)


def laid(shape: Layout, names: tuple[str, ...], disks: Disks) -> Top | None:
    """These members in this shape, or nothing where one is unknown."""
    found = members(names, disks)
    if not found:
        return None
    spins = any(disks[each.disk].media == "hdd" for each in found)
    leaf = leaf_size(min(each.usable for each in found))
    return Top(shape, leaf, sum(each.sold for each in found), "hdd" if spins else "ssd")
