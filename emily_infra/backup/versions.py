"""Every version of a path that there is, in snapshots of this host and in repositories."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from emily_infra.backup import catalogue, pools
from emily_infra.backup.faults import NotCovered
from emily_infra.backup.here import Here
from emily_infra.backup.looking import View
from emily_infra.backup.names import pool_of
from emily_infra.machine import CommandFailed

LOCAL = "here"
"""The source of what a snapshot of this host holds."""


@dataclass(frozen=True)
class Place:
    """A path, as the dataset that holds it knows it."""

    path: Path
    dataset: str
    below: Path
    """Below the mountpoint; `.` is the mountpoint itself."""


@dataclass(frozen=True)
class Body:
    """What tells one version from another."""

    kind: str
    """file, folder, link or other."""
    size: int
    mtime: int
    """Nanoseconds since 1970."""


@dataclass(frozen=True)
class Version:
    """What one snapshot or one copy holds at a path."""

    at: datetime
    source: str
    """`here`, or a repository."""
    name: str
    """DATASET@NAME, or the id of a copy: what `restore --from` takes."""
    body: Body | None
    """Nothing where the path was not there."""


@dataclass(frozen=True)
class Era:
    """Neighbours in time that hold the same."""

    versions: tuple[Version, ...]
    """The newest first."""
    changed: str
    """Against the era before."""

    @property
    def newest(self) -> Version:
        """The version that a restore would take: of several at one time, the one that is here."""
        return self.versions[0]


def place(here: Here, path: Path) -> Place:
    """Where a path is kept; NotCovered where no dataset of this host has it.

    Links above it are followed, as whoever typed the path meant them; the path itself is not.
    """
    whole = Path(os.path.normpath(Path.cwd() / path))
    found = _holding(here, whole)
    if whole.name and not (found and _stands_still(here, found.dataset)):
        whole = Path(os.path.realpath(whole.parent)) / whole.name
        found = _holding(here, whole)
    if found is None:
        places = (body.mountpoint for body in here.settings.datasets.values())
        known = sorted(str(each) for each in places if each)
        raise NotCovered(
            f"{whole}: no dataset of this host is mounted there or above it",
            hint=f"what is kept here: {', '.join(known) or 'nothing'}",
        )
    return found


def _holding(here: Here, whole: Path) -> Place | None:
    """The dataset that is mounted nearest above a path."""
    holder = here.settings.holder_of(whole)
    if holder is None:
        return None
    dataset, mountpoint = holder
    return Place(whole, dataset, whole.relative_to(mountpoint))


def _stands_still(here: Here, dataset: str) -> bool:
    """Whether a look at its files would hang, so that no signal ends it."""
    try:
        pools.alive(here, pool_of(dataset))
    except pools.Standstill:
        return True
    return False


def root(here: Here, dataset: str) -> Place:
    """All of a dataset."""
    mountpoint = here.settings.datasets[dataset].mountpoint
    return Place(mountpoint or Path("/", dataset), dataset, Path())


OnStep = Callable[[int, int], None]
"""Hears how many steps are done, and of how many."""


def unseen(done: int, of: int) -> None:
    """Nobody watches."""


def local(
    view: View, wanted: Place, on_step: OnStep = unseen, until: datetime | None = None
) -> Iterator[Version]:
    """What each snapshot of this host holds at a path, the newest first."""
    taken = [
        each
        for each in catalogue.snapshots(view.here, wanted.dataset)
        if until is None or each.creation <= until
    ]
    for done, each in enumerate(reversed(taken)):
        on_step(done, len(taken))
        try:
            with view.of([each]) as root:
                yield Version(each.creation, LOCAL, each.full, body(root / wanted.below))
        except CommandFailed:
            if any(one.guid == each.guid for one in catalogue.snapshots(view.here, each.dataset)):
                raise
    on_step(len(taken), len(taken))


def body(path: Path) -> Body | None:
    """What stands at a path now."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
    size = status.st_size if kind == "file" else 0
    return Body(kind, size, status.st_mtime_ns)


kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


def eras(versions: Iterable[Version]) -> list[Era]:
    """Versions of all sources in one row, the newest first; identical neighbours are one era.

    What was not there before the first version is left out.
    """
    ordered = sorted(versions, key=lambda each: (each.at, each.source == LOCAL, each.source))
    found: list[Era] = []
    before: Body | None = None
    for _, some in groupby(ordered, key=lambda each: each.body):
        group = tuple(some)
        now = group[0].body
        if now or found:
            found.append(Era(group[::-1], changed(before, now, first=not found)))
            before = now
    return found[::-1]


def changed(before: Body | None, now: Body | None, *, first: bool = False) -> str:
    """What happened between two neighbours, in words."""
    if now is None:
        return "deleted"
    if before is None:
        return "oldest known" if first else "there again"
    if before.kind != now.kind:
        return f"was a {before.kind}"
    if now.size != before.size:
        more = now.size - before.size
        return f"{'+' if more > 0 else '-'}{abs(more)} B"
    return "written"
