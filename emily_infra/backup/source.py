"""What is copied: snapshots, held while they are read, and shown below one folder."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from emily_infra.backup import catalogue, pools
from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.choosing import Chosen, choose, late
from emily_infra.backup.faults import NotShown
from emily_infra.backup.here import Here, this_run
from emily_infra.backup.locks import locked
from emily_infra.backup.names import by_pool, pool_of
from emily_infra.backup.settings import Settings
from emily_infra.backup.shielded import apart, away, mount
from emily_infra.machine import CommandFailed, Expired
from emily_infra.machine.namespace import mounts

_LISTING = 1800.0
"""Seconds to wait for a pool: it may be destroying what is no longer kept."""
_EMPTY = 1 << 20
"""Bytes that a dataset without any file may take, with room to spare on wide raidz."""
_UNPLACED = ".datasets"
_ROOT = "emily-source"


def place(settings: Settings, dataset: str) -> Path:
    """Where a dataset's snapshot is shown; the same in every run, so that restic knows it again."""
    body = settings.datasets.get(dataset)
    mountpoint = body.mountpoint if body else None
    below = str(mountpoint).lstrip("/") if mountpoint else f"{_UNPLACED}/{dataset}"
    return settings.paths.source / below


def topmost(settings: Settings, snapshots: Iterable[Snapshot]) -> list[Path]:
    """The folders to read: those of datasets that are not shown inside of another's."""
    places = sorted({place(settings, each.dataset) for each in snapshots})
    return [path for path in places if not any(above in path.parents for above in places)]


@contextlib.contextmanager
def held(here: Here, job: str, datasets: Iterable[str]) -> Iterator[Chosen]:
    """The newest snapshots of datasets, which nobody can destroy meanwhile.

    Holds that killed runs of this job have left are taken away first.
    """
    label = catalogue.tag(job, this_run())
    chosen = Chosen()
    wanted: list[str] = []
    try:
        for pool, some in by_pool(datasets).items():
            with locked(here, f"pool-{pool}", verb=f"{job} (choosing)", wait=_LISTING):
                part = _choose(here, job, some)
                wanted += [each.full for each in part.snapshots]
                _hold(here, label, part)
            chosen.snapshots += part.snapshots
            chosen.lacking |= part.lacking
            chosen.remarks += part.remarks
        chosen.remarks += late(here.settings, chosen.snapshots, here.now())
        yield chosen
    finally:
        _release(here, label, wanted)


def _choose(here: Here, job: str, datasets: list[str]) -> Chosen:
    """Of one pool; a pool that does not answer keeps no other from being copied."""
    taken: dict[str, list[Snapshot]] = {}
    try:
        pools.alive(here, pool_of(datasets[0]))  # whoever reads from one that hangs is never ended
        for dataset in datasets:
            taken[dataset] = catalogue.snapshots(here, dataset)
        catalogue.reap(here, job, [one for each in taken.values() for one in each])
        gone = {
            each: "there is no such dataset"
            for each, found in taken.items()
            if not found and not catalogue.exists(here, each)
        }
    except (CommandFailed, Expired, pools.Standstill) as error:
        return Chosen(lacking=dict.fromkeys(datasets, why(error)))
    found = choose({each: some for each, some in taken.items() if each not in gone})
    return replace(found, lacking=found.lacking | gone)


def _hold(here: Here, label: str, chosen: Chosen) -> None:
    """Hold what was chosen, and leave out what is not what it was when it was listed."""
    names = [each.full for each in chosen.snapshots]
    said: list[str] = []
    try:
        catalogue.hold(here, label, names)
    except CommandFailed as error:  # the others are held all the same
        said = error.stderr.splitlines()
    except Expired as error:
        said = [f"'{name}': {why(error)}" for name in names]
    there = {each.full: each for each in _reread(here, names)}
    for each in list(chosen.snapshots):
        now = there.get(each.full)
        trouble = next((line for line in said if f"'{each.full}'" in line), "")
        if trouble and "does not exist" not in trouble:
            chosen.drop(each.dataset, trouble)
        elif now is None or now.guid != each.guid or not now.holds:
            chosen.drop(each.dataset, f"{each.full} was destroyed before it could be held")


def _reread(here: Here, names: list[str]) -> list[Snapshot]:
    if not names:
        return []
    columns = ",".join(catalogue.COLUMNS)
    try:
        command = ("zfs", "list", "-Hp", "-t", "snapshot", "-o", columns, *names)
        listed = here.run(*command, deadline=_LISTING)
    except CommandFailed as error:  # one of them is gone, the others are listed
        listed = error.stdout
    except Expired:
        return []
    return list(catalogue.parsed(listed))


def _release(here: Here, label: str, names: list[str]) -> None:
    try:
        catalogue.release(here, label, names)
    except (CommandFailed, Expired) as error:
        here.tell(f"{why(error)}; the hold {label} stays until the next run takes it away")


@contextlib.contextmanager
def shown(here: Here, chosen: Chosen) -> Iterator[None]:
    """Snapshots mounted read-only in their places, for this process and its children.

    A dataset that cannot be shown as it is drops out of what was chosen, with the reason.
    """
    root = here.settings.paths.source
    _prepare(here, root)
    try:
        # By place, since a dataset may be mounted inside one that is no parent of it.
        for each in sorted(chosen.snapshots, key=lambda one: place(here.settings, one.dataset)):
            if trouble := _mount(here, each) or _doubt(here, each):
                chosen.drop(each.dataset, trouble)
        _count(here, chosen)
        yield
    finally:
        away(here, root)


def has_files(root: Path) -> bool:
    """Whether there is anything but folders below a folder."""
    return any(files for _, _, files in os.walk(root))


def _prepare(here: Here, root: Path) -> None:
    apart()
    root.mkdir(parents=True, exist_ok=True)
    if any(os.fsdecode(each.at) == str(root) for each in mounts()):
        away(here, root)
    # In memory, so that no folder is left where a dataset once was.
    here.run("mount", "-t", "tmpfs", "-o", "mode=0700,size=1m", _ROOT, str(root))


def _mount(here: Here, snapshot: Snapshot) -> str:
    """What kept a snapshot from being mounted; nothing where it is."""
    path = place(here.settings, snapshot.dataset)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return (
            f"the snapshot of the dataset above it has no folder {path.name} to show it in; "
            f"mount {snapshot.dataset}, so that it is there in the next one"
        )
    try:
        mount(here, snapshot, path)
    except (CommandFailed, Expired) as error:
        return why(error)
    return ""


def _doubt(here: Here, snapshot: Snapshot) -> str:
    """Why what is shown cannot be all of a snapshot, which then is shown no longer."""
    path = place(here.settings, snapshot.dataset)
    with os.scandir(path) as entries:
        if any(True for _ in entries):
            return ""
    try:
        listed = here.run("zfs", "list", "-Hp", "-o", "referenced", snapshot.full)
    except CommandFailed as error:
        return why(error)
    if int(listed) <= _EMPTY:
        return ""
    here.run("umount", str(path))
    return f"{snapshot.full} holds {int(listed)} bytes and is shown without a file"


def _count(here: Here, chosen: Chosen) -> None:
    """Every place shows the snapshot that belongs there, and nothing else is shown."""
    root = here.settings.paths.source
    seen = {
        path: os.fsdecode(each.source)
        for each in mounts()
        if (path := Path(os.fsdecode(each.at))).is_relative_to(root)
    }
    planned = {place(here.settings, each.dataset): each.full for each in chosen.snapshots}
    if seen != {root: _ROOT, **planned}:
        raise NotShown(
            f"{root}: {len(seen) - 1} snapshots are mounted there, and not the {len(planned)} that "
            "were to be; nothing was copied",
            hint=f"another program mounts there; find it: findmnt -R {root}",
        )


def why(error: CommandFailed | Expired | pools.Standstill) -> str:
    """The program's own words, in one line."""
    said = error.stderr.strip() if isinstance(error, CommandFailed) else ""
    return (said.splitlines() or str(error).splitlines())[0]
