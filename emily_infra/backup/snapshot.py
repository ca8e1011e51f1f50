"""One snapshot of many datasets of a pool, all of the same instant."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from emily_infra.backup.catalogue import COLUMNS, MARK, Snapshot, existing, parsed
from emily_infra.backup.faults import BackupError
from emily_infra.backup.here import Here
from emily_infra.backup.names import pool_of
from emily_infra.backup.occasion import Occasion
from emily_infra.machine import CommandFailed

_TRIES = 4
_DEADLINE = 120.0
_THERE = "dataset already exists"
_FULL = "out of space"
_SECOND = timedelta(seconds=1)
_REFUSED = re.compile(r"^cannot create snapshot '([^'@]+)@", re.MULTILINE)


class NotTaken(BackupError):
    """A snapshot could not be taken."""

    code = "BKP011"
    blamed: tuple[str, ...] = ()
    """The datasets that kept all the others from being taken with them."""


def take(
    here: Here, datasets: Sequence[str], names: Collection[str], occasion: Occasion
) -> list[Snapshot]:
    """A snapshot of those of DATASETS that are there, in one transaction; NAMES are in use."""
    left, at = list(datasets), here.now()
    for _ in range(_TRIES):
        name, at = _free(here, at, names)
        full = [f"{dataset}@{name}" for dataset in left]
        try:
            here.run("zfs", "snapshot", "-o", f"{MARK}={occasion}", *full, deadline=_DEADLINE)
        except CommandFailed as error:
            there = existing(here, left)
            if _THERE not in error.stderr and there == left:
                raise _not_taken(left, error) from error
            if _THERE in error.stderr:
                at += _SECOND
            left = there
            if not left:
                return []
        else:
            return made(here, full)
    raise NotTaken(
        f"{pool_of(left[0])}: datasets came and went while their snapshot was taken",
        hint="run it again: emily-infra backup snapshot",
    )


def made(here: Here, full: Sequence[str]) -> list[Snapshot]:
    """What was just taken, as ZFS has it."""
    listed = here.run("zfs", "list", "-Hp", "-t", "snapshot", "-o", ",".join(COLUMNS), *full)
    return list(parsed(listed))


def _free(here: Here, at: datetime, names: Collection[str]) -> tuple[str, datetime]:
    """The first second from AT on that no snapshot is called after; a name tells no age."""
    while (name := at.strftime(here.settings.snapshot_name)) in names:
        at += _SECOND
    return name, at


def _not_taken(left: Sequence[str], error: CommandFailed) -> NotTaken:
    blamed = tuple(each for each in left if each in _REFUSED.findall(error.stderr))
    fault = _refusal(blamed or left, error)
    fault.blamed = blamed
    return fault


def _refusal(datasets: Sequence[str], error: CommandFailed) -> NotTaken:
    pool = pool_of(datasets[0])
    what = f"no snapshot of {', '.join(datasets[:3])}{' and others' * (len(datasets) > 3)}"
    if _FULL in error.stderr:
        return NotTaken(
            f"{what}: pool {pool} is out of space",
            hint=f"see what takes it: zfs list -o space -r {pool}; old snapshots go with: "
            "emily-infra backup expire --dry-run",
        )
    return NotTaken(f"{what}: {error.stderr.strip() or error}", hint=error.hint)
