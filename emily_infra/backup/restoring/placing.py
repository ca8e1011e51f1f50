"""Where a restore writes: under a name of its own, until all of it is there and was compared."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from emily_infra.backup.faults import InTheWay, NoRoom
from emily_infra.backup.here import Here, lives, this_run
from emily_infra.spec.units import approximately

HOLDER = ".emily-restoring-"
"""Of the folder beside the place; behind it stands the run, which tells whether it still lives."""
_SPARE = 0.02
"""Of what is to be restored, for names and pointers."""
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


@dataclass
class Merged:
    """What became of the files that were there."""

    replaced: int = 0
    added: int = 0
    refused: list[Path] = field(default_factory=list)
    """Files where a folder is now, the other way round, and where something else is mounted."""


@contextlib.contextmanager
def holder(here: Here, folder: Path, prefix: str = HOLDER, mode: int = 0o700) -> Iterator[Path]:
    """A folder in FOLDER that is gone afterwards; those of killed runs go first."""
    for old in leftovers(folder, prefix):
        here.tell(f"{old}: left by a run that was killed; removed")
        shutil.rmtree(old)
    made = folder / f"{prefix}{this_run()}"
    made.mkdir(mode=mode)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def leftovers(folder: Path, prefix: str = HOLDER) -> list[Path]:
    """The folders that killed runs left here."""
    with os.scandir(folder) as entries:
        names = [
            each.name
            for each in entries
            if each.name.startswith(prefix) and each.is_dir(follow_symlinks=False)
        ]
    return [folder / name for name in sorted(names) if not lives(name.removeprefix(prefix))]


def refuse_what_is_there(place: Path) -> None:
    """InTheWay where anything has this name, and where its folder is missing."""
    if os.path.lexists(place):
        raise _in_the_way(place)
    if not place.parent.is_dir():
        raise InTheWay(f"{place.parent}: no such folder", hint=f"mkdir --parents {place.parent}")


def _in_the_way(place: Path) -> InTheWay:
    inside = f"{place}/NAME" if place.is_dir() else f"{place}.restored"
    return InTheWay(
        f"{place} is there already, and a restore writes over nothing",
        hint=f"give a name that is free, such as --to {inside}; or --overwrite, to replace "
        "file by file",
    )


def check_room(folder: Path, size: int) -> None:
    """NoRoom where SIZE bytes do not fit."""
    room = free(folder)
    if size * (1 + _SPARE) > room:
        raise NoRoom(
            f"{folder} has room for {approximately(room)}; this needs {approximately(size)}",
            hint="restore to another place; where it is mostly holes, and fits all the same, add "
            "--fits",
        )


def free(folder: Path) -> int:
    """Bytes that may be written there."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def settle(here: Here, made: Path, place: Path) -> None:
    """Give what was restored its name, once it is on the disk."""
    here.run("sync", "--file-system", str(made), deadline=3600)
    refuse_what_is_there(place)
    give_name(made, place)


def give_name(made: Path, place: Path) -> None:
    """In one step, and only while nothing else has come by that name; InTheWay otherwise."""
    is_folder = stat.S_ISDIR(made.lstat().st_mode)
    try:
        if is_folder:
            made.rename(place)  # over an empty folder at most
        else:
            os.link(made, place, follow_symlinks=False)
            made.unlink()
    except OSError as error:
        if error.errno in _TAKEN:
            raise _in_the_way(place) from None
        if is_folder:
            raise
        made.rename(place)  # on a file system where no file has a second name


def merge(here: Here, made: Path, place: Path) -> Merged:
    """Move what was restored over what is there, file by file, each as a whole."""
    here.run("sync", "--file-system", str(made), deadline=3600)
    merged = Merged()
    _merge(made, place, merged)
    return merged


def _merge(made: Path, place: Path, merged: Merged) -> None:
    one, two = _kind(made), _kind(place)
    if one != "folder" or two is None:
        if two == "folder":
            merged.refused.append(place)
            return
        merged.replaced += two is not None
        merged.added += two is None
        made.replace(place)
    elif two != "folder" or made.stat().st_dev != place.stat().st_dev:
        # Nothing moves from one file system to another: a dataset is restored by itself.
        merged.refused.append(place)
    else:
        for name in os.listdir(made):
            _merge(made / name, place / name, merged)
        _dress(made, place)


def _kind(path: Path) -> str | None:
    try:
        return "folder" if stat.S_ISDIR(path.lstat().st_mode) else "file"
    except FileNotFoundError:
        return None


def _dress(made: Path, place: Path) -> None:
    """Owner, mode, attributes and times of a folder that stays."""
    status = made.stat()
    os.chown(place, status.st_uid, status.st_gid)
    shutil.copystat(made, place)
