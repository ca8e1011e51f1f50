"""Rules about what a pool is asked to hold."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, host_rule
from emily_infra.findings import Severity
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.storage import Dataset, Pool
from emily_infra.spec.units import approximately
from emily_infra.zfs.capacity import Capacity, capacity
from emily_infra.zfs.special import SMALL_BLOCK_PERCENT, demands, small_block_limit


def _special(size: str) -> str:
    return (
        "storage:\n  disks:\n    nvme-A: &nvme\n      size: 500GB\n      media: ssd\n"
        f"      partitions:\n        1: {{ size: {size}, use: zfs }}\n    nvme-B: *nvme\n"
        "  pools:\n    tank:\n      special:\n        - mirror: [nvme-A-part1, nvme-B-part1]\n"
    )


def _reserved(size: str) -> str:
    return (
        f"storage:\n  pools:\n    tank:\n      datasets:\n        home: {{ reservation: {size} }}\n"
    )


def forecasts(spec: HostSpec) -> Iterator[tuple[str, Pool, Capacity]]:
    """The pools whose disks are all known, by name."""
    for name, pool in sorted(spec.storage.pools.items()):
        if forecast := capacity(pool, spec.storage.disks):
            yield name, pool, forecast


@host_rule("STO010", Severity.WARNING, wrong=_special("2GB"), right=_special("64GB"))
def special_too_small(host: Host) -> Iterator[Problem]:
    """The special vdev is too small for what will go there

    It holds the metadata of the whole pool: about 1.15 % of the data at records of 8 KiB, 0.6 % at
    16 KiB, 0.07 % at 128 KiB and above. Small blocks come on top; they stop at 75 % of it and then
    go to the data disks, silently and for good. Metadata follows when it is full. The estimate
    divides a pool that is 80 % full evenly among its mounted datasets, none above its quota, and
    assumes that one byte in a hundred is in small files, evenly from nothing to a full record.
    Quotas make it better, above all on datasets with small records.
    """
    for name, pool, forecast in forecasts(host.spec):
        wanted = demands(pool, forecast.comfortable) if pool.special else []
        metadata = sum(each.metadata for each in wanted)
        total = sum(each.total for each in wanted)
        if total > small_block_limit(forecast.special_size):
            message = (
                f"special has {approximately(forecast.special_size)}; with "
                f"{approximately(forecast.comfortable)} in the pool it takes "
                f"{approximately(metadata)} of metadata and {approximately(total - metadata)} of "
                f"blocks, more than {SMALL_BLOCK_PERCENT} % of that"
            )
            greediest = max(wanted, key=lambda each: each.total).dataset
            size = approximately(total * 100 // SMALL_BLOCK_PERCENT)
            hint = (
                f"give it {size}, or a quota, larger records or fewer small blocks to {greediest}"
            )
            yield Problem(("storage", "pools", name, "special"), message, hint)


@host_rule("STO017", Severity.ERROR, wrong=_reserved("3.5TB"), right=_reserved("1TB"))
def reserved_more_than_there_is(host: Host) -> Iterator[Problem]:
    """Reservations take more than 80 % of the pool

    A reservation is room that nothing else may use. Above 80 % of the pool the other datasets and
    all snapshots must live in what is left, and ZFS slows down as it fills. Reservations that
    exceed the pool are refused by ZFS in the middle of an apply.
    """
    for name, pool, forecast in forecasts(host.spec):
        total = reserved(pool.datasets)
        if total > forecast.comfortable:
            message = (
                f"{approximately(total)} are reserved; 80 % of the pool is "
                f"{approximately(forecast.comfortable)}"
            )
            at = ("storage", "pools", name, "datasets")
            yield Problem(at, message, "reserve less; a quota on the others often serves as well")


def reserved(datasets: dict[str, Dataset]) -> int:
    """Bytes that a pool's reservations take; a parent's covers those below it."""
    below = dict.fromkeys(["", *datasets], 0)
    for name in sorted(datasets, key=lambda name: -name.count("/")):
        parent = name.rpartition("/")[0]
        own = int(datasets[name].reservation or 0)
        below[parent if parent in below else ""] += max(own, below[name])
    return below[""]
