"""What host.yaml asks of a dataset, in the words of `zfs set`."""

from collections.abc import Mapping

from emily_infra.spec.storage import Dataset, Pool

INHERITED = frozenset({"compression", "mountpoint", "recordsize", "special_small_blocks"})
"""Of those that host.yaml settles: what a dataset has from its parent unless it is set."""
_SYNONYMS = {"none": "0", "zstd-fast-1": "zstd-fast"}


def wanted(dataset: Dataset, pool: Pool) -> dict[str, str]:
    """The properties that host.yaml settles, exact to the byte as `zfs get -p` prints them."""
    settled = {
        "compression": dataset.compression,
        "quota": str(int(dataset.quota or 0)),
        "recordsize": str(int(dataset.recordsize)),
        "reservation": str(int(dataset.reservation or 0)),
    }
    if pool.special:
        settled["special_small_blocks"] = str(dataset.special_blocks)
    settled["mountpoint"] = "none"
    if dataset.mountpoint:
        by_zfs = dataset.mounted_by == "zfs"
        settled["mountpoint"] = dataset.mountpoint if by_zfs else "legacy"
    return settled


def is_default(dataset: Dataset, name: str) -> bool:
    """Whether host.yaml says nothing of a property, so that our own default holds."""
    fields = {"special_small_blocks": {"small_blocks_on_special", "all_on_special"}}
    return not dataset.model_fields_set & fields.get(name, {name})


def different(wished: Mapping[str, str], found: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What is wished for and what is found, by property, where the two are not the same."""
    return {
        name: (value, found.get(name, "0"))
        for name, value in sorted(wished.items())
        if not _same(name, value, found.get(name, "0"))
    }


def _same(name: str, wished: str, found: str) -> bool:
    """What is mounted nowhere may also be left to fstab, where nothing speaks of it."""
    nowhere = name == "mountpoint" and wished == "none" and found == "legacy"
    return nowhere or _plain(wished) == _plain(found)


def _plain(value: str) -> str:
    return _SYNONYMS.get(value, value)
