"""What the names of datasets and snapshots say; pure."""

import re
from collections.abc import Iterable

OURS = re.compile(r"emily-[0-9]{8}T[0-9]{6}Z")
"""The names of our snapshots; what is called otherwise is nobody's but its maker's."""


def pool_of(dataset: str) -> str:
    """The pool that a dataset is in."""
    return dataset.partition("/")[0]


def by_pool(datasets: Iterable[str]) -> dict[str, list[str]]:
    """Datasets, each under its pool."""
    found: dict[str, list[str]] = {}
    for dataset in sorted(datasets):
        found.setdefault(pool_of(dataset), []).append(dataset)
    return found
