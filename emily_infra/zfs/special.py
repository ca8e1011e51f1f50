"""How full a special vdev gets: an estimate, whose assumptions are named here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from emily_infra.spec.storage import Dataset, Pool
from emily_infra.zfs.capacity import Capacity
from emily_infra.zfs.geometry import KIB, MIB

SMALL_BLOCK_PERCENT = 75
"""Of the class; the rest is kept for metadata (zfs_special_class_metadata_reserve_pct)."""
SMALL_FILES = 10_000
"""Assumed: of a million bytes, so many are in files not larger than a record."""
MILLION = 1_000_000
FINE = 10_000
"""The part of a pool to which a moment is found: what goes in are estimates."""


class Share(NamedTuple):
    """Metadata in millionths of the data it describes: the range that was measured."""

    low: int
    high: int


@dataclass(frozen=True)
class Demand:
    """What one dataset will ask of the special vdev, in bytes."""

    dataset: str
    data: int
    """What it is expected to hold."""
    metadata_at_least: int
    metadata: int
    """At most."""
    small_blocks: int

    @property
    def total(self) -> int:
        """Everything that goes to the special vdev, at most."""
        return self.metadata + self.small_blocks


class Spill(NamedTuple):
    """When a special vdev overflows, in bytes stored in the pool; nothing where it never does."""

    small_blocks: int | None
    metadata: int | None


def small_block_limit(special_size: int) -> int:
    """Bytes of a special class that small blocks may fill before they go to the data disks."""
    return special_size * SMALL_BLOCK_PERCENT // 100


def metadata_share(record: int) -> Share:
    """Measured on OpenZFS 2.4 at 8K, 16K, 128K and 1M; below 128K it goes with 1 / record."""
    if record >= MIB:
        return Share(300, 700)
    if record >= 128 * KIB:
        return Share(600, 700)
    if record >= 16 * KIB:
        return Share(5_400 * 16 * KIB // record, 6_200 * 16 * KIB // record)
    return Share(11_500 * 8 * KIB // record, 11_500 * 8 * KIB // record)


def demands(pool: Pool, stored: int) -> list[Demand]:
    """What every mounted dataset asks for once so many bytes are stored.

    Datasets share them evenly, none above its quota.
    """
    shares = expected_data(pool, stored)
    return [_demand(name, pool.datasets[name], data) for name, data in sorted(shares.items())]


def _demand(name: str, dataset: Dataset, data: int) -> Demand:
    record, small = int(dataset.recordsize), dataset.special_blocks
    low, high = (data * share // MILLION for share in metadata_share(record))
    pinned = small >= record
    blocks = data if pinned else data * SMALL_FILES * small // (record * MILLION)
    return Demand(name, data, low, high, blocks)


def spills(pool: Pool, capacity: Capacity) -> tuple[Spill, Spill]:
    """When small blocks and when metadata begin to go to the data disks: early and late.

    Early is with metadata at its most, late at its least. Small blocks stop at three quarters of
    the class, and those that are there stay; metadata goes on until it is full
    (spa_preferred_class).
    """
    early = _spill(pool, capacity, lambda each: each.metadata)
    return early, _spill(pool, capacity, lambda each: each.metadata_at_least)


def _spill(pool: Pool, capacity: Capacity, metadata: Callable[[Demand], int]) -> Spill:
    def asked(stored: int) -> tuple[int, int]:
        wanted = demands(pool, stored)
        return sum(map(metadata, wanted)), sum(each.small_blocks for each in wanted)

    room, limit = capacity.available, small_block_limit(capacity.special_size)
    small = _first(room, lambda stored: sum(asked(stored)) > limit)
    there = asked(room if small is None else small)[1]

    def full(stored: int) -> bool:
        held, blocks = asked(stored)
        return held + min(blocks, there) > capacity.special_size

    return Spill(small if there else None, _first(room, full))


def _first(room: int, happens: Callable[[int], bool]) -> int | None:
    """About the first number up to ROOM from which on something happens, by halving."""
    if not happens(room):
        return None
    low, high = 0, room
    while high - low > room // FINE:
        middle = (low + high) // 2
        low, high = (low, middle) if happens(middle) else (middle, high)
    return high


def expected_data(pool: Pool, room: int) -> dict[str, int]:
    """How the mounted datasets divide so many bytes: what a quota holds back goes to the others."""
    mounted = [name for name, dataset in pool.datasets.items() if dataset.mountpoint]
    caps = {name: _cap(pool, name, room) for name in mounted}
    shares: dict[str, int] = {}
    left = room
    for name in sorted(caps, key=lambda name: (caps[name], name)):
        shares[name] = min(caps[name], max(0, left // (len(caps) - len(shares))))
        left -= shares[name]
    return shares


def _cap(pool: Pool, name: str, room: int) -> int:
    """The smallest quota of a dataset and of those above it."""
    parts = name.split("/")
    above = ("/".join(parts[:length]) for length in range(1, len(parts) + 1))
    quotas = (pool.datasets[each].quota for each in above if each in pool.datasets)
    return min([room, *(quota for quota in quotas if quota is not None)])
