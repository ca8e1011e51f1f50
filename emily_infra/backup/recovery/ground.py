"""The datasets that data is to come back to: mounted, and empty but for what this recovery brought.

What was brought is marked on the dataset itself, in a property: the mark comes and goes with the
data, survives an installer that forgets everything, and lies in nobody's way.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from emily_infra.backup.here import Here
from emily_infra.backup.recovery.faults import NotEmpty, NotReady
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
    """Write down how far a dataset is, on the dataset."""
    here.run("zfs", "set", f"{MARK}={standing} {copy} {plot.dataset}", plot.dataset)


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
        if "dataset does not exist" not in error.stderr:
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
    standing, copy = _marked(marked, dataset)
    return Plot(dataset, place, standing, copy)


def _marked(text: str, dataset: str) -> tuple[Standing, str]:
    """What a mark says; one that a child inherits from its parent names the parent."""
    words = text.split(" ")
    if len(words) == 3 and words[2] == dataset and words[0] in set(Standing):
        return Standing(words[0]), words[1]
    return Standing.EMPTY, ""


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
