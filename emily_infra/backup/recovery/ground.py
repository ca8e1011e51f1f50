"""The datasets that data is to come back to: mounted, and empty but for what this recovery brought.

What was brought is marked on the dataset itself, in a property: the mark comes and goes with the
data, survives an installer that forgets everything, and lies in nobody's way.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from emily_infra.backup import catalogue
from emily_infra.backup.here import Here
from emily_infra.backup.recovery.faults import LivedIn, NotEmpty, NotReady
from emily_infra.machine import CommandFailed
from emily_infra.machine.namespace import mounts as all_mounts

MARK = "org.emily-infra:recovery"
_SHOWN = 3


class Standing(StrEnum):
    """How far a dataset is."""

    EMPTY = "empty"
    BEGUN = "begun"
    DONE = "done"


@dataclass(frozen=True)
class Plot:
    """A dataset that data comes back to."""

    dataset: str
    place: Path
    """Where it is mounted."""
    standing: Standing = Standing.EMPTY
    copy: str = ""
    """The id of the copy that was begun."""
    since: int = 0
    """The transaction of its newest snapshot when it was begun; 0 where it had none."""


def survey(here: Here, datasets: Iterable[str], root: Path) -> list[Plot]:
    """Every dataset, parents before children; a BackupError where one cannot take its data."""
    found = [_plot(here, each, root) for each in sorted(datasets)]
    mounts = {_mountpoint(here, each, root) for each in here.settings.datasets}
    for plot in found:
        if plot.standing is Standing.EMPTY:
            _must_be_empty(plot, {each for each in mounts if each and each != plot.place})
    return found


def mounted_at() -> set[bytes]:
    """Where anything is mounted; a bound folder is no mount to `os.path.ismount`."""
    return {each.at for each in all_mounts()}


def mark(here: Here, plot: Plot, standing: Standing, copy: str) -> None:
    """Write down how far a dataset is, on the dataset, and after which of its snapshots."""
    newest = max((each.createtxg for each in catalogue.snapshots(here, plot.dataset)), default=0)
    words = f"{standing} {copy} {plot.dataset} {newest}"
    here.run("zfs", "set", f"{MARK}={words}", plot.dataset)


def must_be_unused(here: Here, plots: Iterable[Plot]) -> None:
    """LivedIn, where a dataset got snapshots since it was begun: somebody may work there by now."""
    for plot in plots:
        if plot.standing is not Standing.BEGUN:
            continue
        taken = catalogue.snapshots(here, plot.dataset)
        newer = [each for each in taken if each.createtxg > plot.since]
        if newer:
            raise LivedIn(
                f"a recovery of {plot.dataset} was begun and did not end, and since then there is "
                f"{newer[-1].full}: what was changed in {plot.place} would be written over",
                hint="to leave it as it is, name the others with --dataset, and fetch what it "
                f"lacks: emily-infra backup restore {plot.place} --to FOLDER; "
                "to write over it all the same: --go-on",
            )


def _mountpoint(here: Here, dataset: str, root: Path) -> Path | None:
    place = here.settings.datasets[dataset].mountpoint
    return root / place.relative_to("/") if place else None


def _plot(here: Here, dataset: str, root: Path) -> Plot:
    place = _mountpoint(here, dataset, root)
    if place is None:
        raise NotReady(
            f"{dataset} has no mountpoint, so that there is no folder to restore it to",
            hint="leave it out by naming the others with --dataset; restore it by hand: "
            f"emily-infra backup restore {dataset} --to FOLDER",
        )
    columns = ("zfs", "list", "-Hp", "-o", f"mounted,{MARK}", dataset)
    try:
        mounted, _, marked = here.run(*columns).strip("\n").partition("\t")
    except CommandFailed as error:
        if catalogue.GONE not in error.stderr:
            raise
        raise NotReady(
            f"{dataset} does not exist on this machine",
            hint=f"make it: emily-infra apply {here.settings.host}, or for an empty machine: "
            f"emily-infra install {here.settings.host} --target ADDRESS",
        ) from error
    if mounted != "yes" or os.fsencode(place) not in mounted_at():
        raise NotReady(
            f"{dataset} is not mounted on {place}; its data would go to the file system around it",
            hint=f"mount it: zfs mount {dataset}, or mount -t zfs {dataset} {place}; in an "
            "installer that mounts below /mnt: --root /mnt",
        )
    return _marked(marked, Plot(dataset, place))


def _marked(text: str, plot: Plot) -> Plot:
    """What a mark says; one that a child inherits from its parent names the parent."""
    standing, _, rest = text.partition(" ")
    copy, _, rest = rest.partition(" ")
    dataset, _, since = rest.rpartition(" ")
    if dataset != plot.dataset or not since.isdigit() or standing not in set(Standing):
        return plot
    return replace(plot, standing=Standing(standing), copy=copy, since=int(since))


def _must_be_empty(plot: Plot, mounts: set[Path]) -> None:
    there = [entry for _, entry in zip(range(_SHOWN), _foreign(plot.place, mounts), strict=False)]
    if there:
        raise NotEmpty(
            f"{plot.dataset} is not empty: {', '.join(map(str, there))}"
            f"{' and more' if len(there) == _SHOWN else ''}; nothing was written",
            hint=f"look whose it is: ls -la {plot.place}; move it away, or leave {plot.dataset} "
            "out by naming the others with --dataset",
        )


def _foreign(folder: Path, mounts: set[Path]) -> Iterator[Path]:
    """What is in a folder, other than the way to datasets that are mounted below it."""
    for entry in sorted(folder.iterdir()):
        if entry in mounts:
            continue
        leads = any(entry in mount.parents for mount in mounts)
        if leads and entry.is_dir() and not entry.is_symlink():
            yield from _foreign(entry, mounts)
        else:
            yield entry
