"""A capacity as lines that a person can add up, and what else there is to know of a pool."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from emily_infra.spec.storage import Pool
from emily_infra.spec.units import Size, approximately
from emily_infra.zfs.capacity import Capacity
from emily_infra.zfs.geometry import REFERENCE_RECORD
from emily_infra.zfs.special import Demand, Spill, demands, spills
from emily_infra.zfs.vdev import Top

_MANY = 3
"""Vdevs that are alike are counted from here on."""
_LARGE = 10**13
"""Pools from here on are told in TB, smaller ones in GB."""


class Row(NamedTuple):
    """One figure of a pool."""

    what: str
    amount: int
    """Bytes."""
    note: str = ""


class Units(NamedTuple):
    """Decimal and binary units in which the sizes of a pool have few digits."""

    decimal: str
    binary: str
    power: int

    def amounts(self, size: int) -> tuple[str, str]:
        """A size in both."""
        return f"{size / 1000**self.power:,.2f}", f"{size / 1024**self.power:,.2f}"


def units(raw: int) -> Units:
    """Those for a pool of so many bytes."""
    return Units("TB", "TiB", 4) if raw >= _LARGE else Units("GB", "GiB", 3)


class Fact(NamedTuple):
    """Something that is said in words."""

    what: str
    text: str


def rows(pool: Pool, capacity: Capacity) -> Iterator[Row]:
    """Where the bytes of the disks go, what fits, and how full the special vdev gets."""
    yield Row("raw", capacity.raw, "all data disks as sold")
    yield Row("parity", -capacity.parity, "parity and further copies")
    yield Row("padding", -capacity.padding, "raidz alignment, 128KiB records")
    yield Row("rounding", -capacity.rounding, "tables, labels, last metaslab")
    yield Row("embedded log", -capacity.embedded_log, "for synchronous writes")
    yield Row("slop", -capacity.slop, "so that a full pool can delete")
    yield Row("usable", capacity.available, "as zfs list will show it")
    yield Row("80 % of it", capacity.comfortable, "slow and fragmented above")
    for size, names in _by_record(pool).items():
        yield Row(f"fits at {size}", capacity.fits(size), ", ".join(names))
    if pool.special:
        yield from _special(demands(pool, capacity.comfortable), capacity.special_size)


def _by_record(pool: Pool) -> dict[Size, list[str]]:
    found: defaultdict[Size, list[str]] = defaultdict(list)
    for name, dataset in sorted(pool.datasets.items()):
        quota = f" (quota {dataset.quota})" if dataset.quota else ""
        found[dataset.recordsize].append(name + quota)
    return dict(sorted(found.items()))


def _special(wanted: list[Demand], size: int) -> Iterator[Row]:
    least = approximately(sum(each.metadata_at_least for each in wanted))
    yield Row("special", size, "adds nothing to usable")
    yield Row("its metadata", sum(each.metadata for each in wanted), f"{least} or more, 80 % full")
    yield Row("its small blocks", sum(each.small_blocks for each in wanted), "roughly, 80 % full")


def smallest_record(pool: Pool) -> int:
    """The recordsize that a resilver takes longest for."""
    return min((int(each.recordsize) for each in pool.datasets.values()), default=REFERENCE_RECORD)


def survival(capacity: Capacity) -> Iterator[Fact]:
    """Which disks may fail."""
    weakest = {
        name: min(top.layout.failures_survived for top in tops)
        for name, tops in (("data", capacity.tops), ("special", capacity.special))
        if tops
    }
    least = min(weakest, key=lambda name: weakest[name])
    others = [f"{name} any {count}" for name, count in weakest.items() if count > weakest[least]]
    limit = f" ({least} bears no more; {', '.join(others)})" if others else ""
    count = weakest[least]
    yield Fact("may fail", f"any {_disks(count)}{limit}" if count else f"no disk{limit}")
    parts = [f"{_sum(capacity.tops)} of data"]
    if capacity.special:
        parts.append(f"{_sum(capacity.special)} of special")
    yield Fact("at best", f"{_disks(capacity.failures_at_best)}: {', '.join(parts)}")


def _disks(count: int) -> str:
    return f"{count} disk{'' if count == 1 else 's'}"


def _sum(tops: tuple[Top, ...]) -> str:
    counts = [top.layout.failures_survived for top in tops]
    if len(counts) > _MANY and len(set(counts)) == 1:
        return f"{len(counts)} x {counts[0]}"
    return " + ".join(map(str, counts))


def filling(pool: Pool, capacity: Capacity) -> Iterator[Fact]:
    """When the special vdev overflows."""
    if pool.special:
        early, late = spills(pool, capacity)
        for name in Spill._fields:
            text = _when(getattr(early, name), getattr(late, name))
            if name == "metadata" or any(each.special_blocks for each in pool.datasets.values()):
                yield Fact(f"{name.replace('_', ' ')} spill", text)


def _when(early: int | None, late: int | None) -> str:
    if early is None:
        return "not before the pool is full"
    if late is None:
        return f"once {approximately(early)} are stored, or never"
    if approximately(early) == approximately(late):
        return f"once {approximately(early)} are stored"
    return f"once {approximately(early)} to {approximately(late)} are stored"
