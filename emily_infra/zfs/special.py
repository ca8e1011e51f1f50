"""How full a special vdev gets: an estimate, whose assumptions are named here."""

from dataclasses import dataclass

from emily_infra.spec.storage import Dataset, Pool
from emily_infra.zfs.capacity import Capacity
from emily_infra.zfs.geometry import KIB, MIB

SMALL_BLOCK_PERCENT = 75
"""Of the class; the rest is kept for metadata (zfs_special_class_metadata_reserve_pct)."""
SMALL_FILES = 10_000
"""Assumed: of a million bytes, so many are in files not larger than a record."""
MILLION = 1_000_000


@dataclass(frozen=True)
class Share:
    """Metadata in millionths of the data it describes: the range that was measured."""

    low: int
    high: int


@dataclass(frozen=True)
class Demand:
    """What one dataset will ask of the special vdev, in bytes."""

    dataset: str
    data: int
    """What it is expected to hold."""
    metadata: int
    small_blocks: int

    @property
    def total(self) -> int:
        """Everything that goes to the special vdev."""
        return self.metadata + self.small_blocks


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


def demands(pool: Pool, capacity: Capacity) -> list[Demand]:
    """What every mounted dataset asks for once the pool is comfortably full.

    Datasets share the room evenly, none above its quota.
    """
    shares = expected_data(pool, capacity.comfortable)
    return [_demand(name, pool.datasets[name], data) for name, data in sorted(shares.items())]


def _demand(name: str, dataset: Dataset, data: int) -> Demand:
    record, small = int(dataset.recordsize), dataset.special_blocks
    metadata = data * metadata_share(record).high // MILLION
    if small >= record:
        return Demand(name, data, metadata, data)
    return Demand(name, data, metadata, data * SMALL_FILES * small // (record * MILLION))


def expected_data(pool: Pool, room: int) -> dict[str, int]:
    """How the mounted datasets divide so many bytes: what a quota holds back goes to the others."""
    mounted = [name for name, dataset in pool.datasets.items() if dataset.mountpoint]
    caps = {name: _cap(pool, name, room) for name in mounted}
    shares: dict[str, int] = {}
    for name in sorted(caps, key=lambda name: (caps[name], name)):
        even = (room - sum(shares.values())) // (len(caps) - len(shares))
        shares[name] = min(caps[name], max(0, even))
    return shares


def _cap(pool: Pool, name: str, room: int) -> int:
    """The smallest quota of a dataset and of those above it."""
    parts = name.split("/")
    above = ("/".join(parts[:length]) for length in range(1, len(parts) + 1))
    quotas = (pool.datasets[each].quota for each in above if each in pool.datasets)
    return min([room, *(quota for quota in quotas if quota is not None)])
