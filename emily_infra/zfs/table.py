"""A capacity as lines that a person can add up."""

from collections.abc import Iterator
from typing import NamedTuple

from emily_infra.spec.storage import Pool
from emily_infra.zfs.capacity import Capacity
from emily_infra.zfs.special import demands, small_block_limit


class Row(NamedTuple):
    """One figure of a pool."""

    what: str
    amount: int
    """Bytes."""
    note: str = ""


def rows(pool: Pool, capacity: Capacity) -> Iterator[Row]:
    """Where the bytes of the disks go, what fits, and how full the special vdev gets."""
    yield Row("raw", capacity.raw, "all data disks as sold")
    yield Row("parity", -capacity.parity, _survival(pool))
    yield Row("padding", -capacity.padding, "alignment of raidz at 128KiB records")
    yield Row("rounding", -capacity.rounding, "partition tables, labels, last metaslab")
    yield Row("embedded log", -capacity.embedded_log, "for synchronous writes")
    yield Row("slop", -capacity.slop, "kept back so that a full pool can delete")
    yield Row("usable", capacity.available, "as zfs list will show it")
    yield Row("80 % of it", capacity.comfortable, "slow and fragmented above")
    for name, dataset in sorted(pool.datasets.items()):
        yield Row(f"fits as {name}", capacity.fits(dataset.recordsize), f"at {dataset.recordsize}")
    if pool.special:
        yield from _special(pool, capacity)


def _survival(pool: Pool) -> str:
    weakest = pool.failures_survived
    if not weakest:
        return "no disk may fail"
    return f"any {weakest} disk{'s' if weakest > 1 else ''} of a vdev may fail"


def _special(pool: Pool, capacity: Capacity) -> Iterator[Row]:
    wanted = demands(pool, capacity)
    weakest = min(vdev.failures_survived for vdev in pool.special)
    yield Row("special", capacity.special_size, f"adds nothing to usable; {weakest} may fail")
    yield Row("special for small blocks", small_block_limit(capacity.special_size), "75 % of it")
    yield Row("special metadata", sum(each.metadata for each in wanted), "estimate at 80 % full")
    yield Row("special small blocks", sum(each.small_blocks for each in wanted), "rough estimate")
