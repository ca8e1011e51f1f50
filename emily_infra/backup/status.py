"""What this host knows of its backups without asking anyone outside: its pools, its own notes."""

from collections.abc import Iterable, Iterator

from emily_infra.backup import catalogue, locks
from emily_infra.backup.coverage import Running, Seen, Taken, pool_of
from emily_infra.backup.here import Here
from emily_infra.machine import CommandFailed, Expired

_PATIENCE = 20.0
"""Seconds for one list: a pool that takes longer stands still, or is as good as that."""


def look(here: Here) -> Seen:
    """Everything; what cannot be read is left out, and said where it matters."""
    return Seen(taken=_taken(here), places={}, running=tuple(_running(here)))


def _taken(here: Here) -> dict[str, Taken]:
    pools: dict[str, list[str]] = {}
    for dataset in sorted(here.settings.datasets):
        pools.setdefault(pool_of(dataset), []).append(dataset)
    found: dict[str, Taken] = {}
    for datasets in pools.values():
        try:
            sizes = _sizes(here, datasets)
            found |= {each: _dataset(here, each, sizes.get(each)) for each in datasets}
        except (CommandFailed, Expired) as error:
            why = str(error).splitlines()[-1].strip()
            found |= {each: Taken(unseen=why) for each in datasets if each not in found}
    return found


def _sizes(here: Here, datasets: Iterable[str]) -> dict[str, int]:
    columns = ("zfs", "list", "-Hp", "-o", "name,logicalreferenced")
    told = here.run(*columns, *datasets, deadline=_PATIENCE)
    pairs = (line.split("\t") for line in told.splitlines())
    return {name: int(size) for name, size in pairs if size.isdigit()}


def _dataset(here: Here, dataset: str, size: int | None) -> Taken:
    listed = catalogue.snapshots(here, dataset, deadline=_PATIENCE)
    newest = next((each.creation for each in reversed(listed) if each.mine), None)
    held = catalogue.holds(here, [each.full for each in listed if each.holds])
    return Taken(newest, tuple(_holders(held)), size)


def _holders(held: dict[str, set[str]]) -> Iterator[str]:
    for name, labels in sorted(held.items()):
        yield f"{name}: {', '.join(sorted(labels))}"


def _running(here: Here) -> Iterator[Running]:
    folder = here.settings.paths.locks
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if who := locks.holder(path):
            yield Running(path.name, who["verb"], who["pid"], who["since"])
