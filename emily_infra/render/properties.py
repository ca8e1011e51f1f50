"""The lines of the service that sets dataset properties after a boot."""

import shlex
from collections.abc import Iterator

from emily_infra.render.nix import Lines
from emily_infra.spec.host import HostSpec
from emily_infra.spec.storage import Dataset, Pool
from emily_infra.zfs.properties import wanted


def settled(spec: HostSpec) -> Lines:
    """For each pool a job that reads it and sets what host.yaml says of its datasets.

    They run beside each other: one that hangs keeps none of the others from it.
    """
    return Lines("".join(f"{line}\n" for line in _lines(spec)))


def _lines(spec: HostSpec) -> Iterator[str]:
    for pool, body in sorted(spec.storage.pools.items()):
        if not body.datasets:
            continue
        yield "("
        yield f"  look {pool}"
        for name, dataset in sorted(body.datasets.items()):
            pairs = (f"{key}={value}" for key, value in _properties(dataset, body))
            yield "  " + shlex.join(["settle", f"{pool}/{name}", *pairs])
        yield ") &"
    if any(body.datasets for body in spec.storage.pools.values()):
        yield "wait"


def _properties(dataset: Dataset, body: Pool) -> Iterator[tuple[str, str]]:
    """All but a mountpoint that is not for zfs: to set it could take a mounted folder away."""
    for key, value in sorted(wanted(dataset, body).items()):
        if key != "mountpoint" or (dataset.mountpoint and dataset.mounted_by == "zfs"):
            yield key, value
