"""`backup mount`: a snapshot, or all the copies of a repository, as folders to look around in."""

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

from emily_infra.backup import catalogue, shielded
from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.faults import BackupError, InTheWay, NoSuchVersion
from emily_infra.backup.here import Here, named, this_run
from emily_infra.backup.restic.program import Call
from emily_infra.backup.restic.repository import contact

_FUSE = ("fusermount3", "fusermount")
_JOB = "mount"


class NotMounted(BackupError):
    """Nothing can be shown there."""

    code = "BKP068"


@contextlib.contextmanager
def folder(place: Path) -> Iterator[None]:
    """An empty folder; one that was made for this is gone afterwards."""
    made = not place.exists()
    if made:
        place.mkdir()
    elif not place.is_dir() or os.listdir(place) or os.path.ismount(place):
        raise InTheWay(
            f"{place} is no empty folder; what is in it would be hidden",
            hint="name one that is not there yet: it is made, and removed afterwards",
        )
    try:
        yield
    finally:
        if made:
            with contextlib.suppress(OSError):
                place.rmdir()


@contextlib.contextmanager
def snapshot_shown(here: Here, name: str, place: Path) -> Iterator[Snapshot]:
    """DATASET@NAME mounted read-only where everybody sees it; it stays held for so long."""
    dataset = name.partition("@")[0]
    named(here.settings.datasets, dataset, "dataset")
    taken = catalogue.snapshots(here, dataset)
    catalogue.reap(here, _JOB, taken)
    found = next((each for each in taken if each.full == name), None)
    if found is None:
        raise NoSuchVersion(
            f"there is no snapshot {name}", hint=f"see those there are: backup list {dataset}"
        )
    label = catalogue.tag(_JOB, this_run())
    catalogue.hold(here, label, [name])
    try:
        with folder(place):
            try:
                shielded.mount(here, found, place)
                yield found
            finally:  # a Ctrl-C may come when the mount is there and its command has not ended
                if place.is_mount() and not shielded.unmount(here, place):
                    here.tell(f"{place} was still in use; it is gone as soon as nobody is in it")
    finally:
        catalogue.release(here, label, [name])


def repository_shown(here: Here, name: str, place: Path) -> None:
    """The copies of a repository by FUSE, until this is interrupted."""
    path = here.environment.get("PATH")
    if not any(shutil.which(each, path=path) for each in _FUSE):
        raise NotMounted(
            "fusermount3 is not here, so restic can show nothing as a folder",
            hint="install it (NixOS: environment.systemPackages = [ pkgs.fuse3 ]), or restore what "
            f"is needed: emily-infra backup restore PATH --repository {name} --to NEW",
        )
    restic = contact(here, name)
    # Without a lock: a forgotten terminal would keep every prune out.
    words = ("mount", "--no-lock", "--host", here.settings.host, "--tag", restic.tag, str(place))
    with folder(place):
        done = restic.talk(Call(words))
    if done.status not in (0, 128 + signal.SIGINT):
        raise restic.fault(done)
