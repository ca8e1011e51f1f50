"""What a pool will hold, to the byte, before it is created.

The steps are those of OpenZFS 2.4; 2.1 differs only where a pool has a special vdev: it sets no log
metaslab apart on it, so that `available` is lower by up to that metaslab.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from emily_infra.spec.storage import Pool
from emily_infra.zfs.geometry import GIB, MIB
from emily_infra.zfs.members import Disks
from emily_infra.zfs.vdev import Top, top

COMFORTABLE_PERCENT = 80
"""Above this share of `available` ZFS searches ever longer for room, and fragments it."""


@dataclass(frozen=True)
class Capacity:
    """A pool without data, in bytes: raw = parity + padding + rounding + log + slop + available."""

    raw: int
    """All data disks as sold; special, log, cache and spares never add to what a pool holds."""
    parity: int
    """Parity and mirror copies, at records of 128 KiB."""
    padding: int
    """What raidz leaves free behind a record so that no hole is too small to use, at 128 KiB."""
    rounding: int
    """Partition tables, labels, the rest behind the last metaslab, fractions of the ratio."""
    embedded_log: int
    """Set apart for synchronous writes: one metaslab of every data vdev, with or without `log`."""
    slop: int
    """Kept back so that a full pool can still delete."""
    available: int
    """`available` and `used` of the root dataset together, as `zfs list` will show them."""
    size: int
    """SIZE of `zpool list`: parity in it, special too."""
    special_size: int
    """Of all special vdevs together."""
    tops: tuple[Top, ...]
    """The data vdevs."""
    special: tuple[Top, ...]

    @property
    def failures_survived(self) -> int:
        """Any so many disks may fail; a lost special vdev is a lost pool."""
        return min(top.layout.failures_survived for top in (*self.tops, *self.special))

    @property
    def failures_at_best(self) -> int:
        """So many disks may fail if no vdev has to bear more than it can."""
        return sum(top.layout.failures_survived for top in (*self.tops, *self.special))

    @property
    def readers(self) -> float:
        """Small random reads that go on at once, and so how much faster than one disk they are."""
        return sum(top.layout.readers for top in self.tops)

    @property
    def comfortable(self) -> int:
        """The line that should not be crossed."""
        return self.available * COMFORTABLE_PERCENT // 100

    def fits(self, record: int) -> int:
        """Bytes of records of one size that fit; compression aside, and metadata.

        That takes 2.3 % at 4 KiB, half of it with each doubling up to 128 KiB (special.py).
        """
        space = sum(top.space for top in self.tops)
        return sum(
            self.available * top.space // space * record // top.charged(record)
            for top in self.tops
            if space
        )


def capacity(pool: Pool, disks: Disks) -> Capacity | None:
    """What a pool will hold, or nothing where `disks` lacks one of its members."""
    data = _tops(pool, "data", disks)
    special = _tops(pool, "special", disks)
    if data is None or special is None:
        return None
    return predict(data, special)


def _tops(pool: Pool, name: str, disks: Disks) -> list[Top] | None:
    found = [top(vdev, pool.ashift, disks) for kind, _, vdev in pool.vdevs if kind == name]
    known = [each for each in found if each]
    return known if len(known) == len(found) else None


def predict(data: Sequence[Top], special: Sequence[Top] = ()) -> Capacity:
    """The sum over all vdevs (spa_update_dspace, spa_get_dspace)."""
    embedded_log = sum(top.embedded_log for top in data)
    space = sum(top.space for top in data) - embedded_log
    slop = slop_space(space, embedded_log + sum(top.embedded_log for top in special))
    raw, parity, padding = (
        sum(values)
        for values in zip(*((top.raw, top.parity, top.padding) for top in data), strict=True)
    )
    return Capacity(
        raw=raw,
        parity=parity,
        padding=padding,
        rounding=raw - parity - padding - embedded_log - space,
        embedded_log=embedded_log,
        slop=slop,
        available=space - slop,
        size=sum(top.size for top in (*data, *special)),
        special_size=sum(top.size for top in special),
        tops=tuple(data),
        special=tuple(special),
    )


def slop_space(space: int, embedded_log: int) -> int:
    """Bytes kept back of so many (spa_get_slop_space).

    A 32nd, at most 128 GiB; the embedded logs count towards it, for up to its half; at least
    128 MiB, but never over half of the pool.
    """
    slop = min(space // 32, 128 * GIB)
    slop -= min(embedded_log, slop // 2)
    return max(slop, min(space // 2, 128 * MIB))
