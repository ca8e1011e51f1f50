"""Mounts: how they are made and taken away, and how a process has them for itself."""

import contextlib
from pathlib import Path

from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.faults import NotPrivate
from emily_infra.backup.here import Here
from emily_infra.machine import CommandFailed, Expired
from emily_infra.machine.namespace import separate_mounts

_MOUNTING = 300.0


def apart() -> None:
    """From here on, what this process mounts is its own."""
    try:
        separate_mounts()
    except OSError as error:
        raise NotPrivate(
            f"snapshots cannot be shown to this run alone: {error.strerror}",
            hint="run it as root; inside a container, give it CAP_SYS_ADMIN",
        ) from error


def mount(here: Here, snapshot: Snapshot, path: Path) -> None:
    """Show a snapshot at a folder, read-only; CommandFailed or Expired where ZFS does not."""
    command = ("mount", "-t", "zfs", "-o", "ro", snapshot.full, str(path))
    here.run(*command, deadline=_MOUNTING)


def away(here: Here, root: Path) -> None:
    """Unmount all below a folder, as far as that goes."""
    with contextlib.suppress(CommandFailed, Expired):
        unmount(here, root, "--recursive")


def unmount(here: Here, folder: Path, *how: str) -> bool:
    """Take a mount away; whether nobody is left to see it, for who still looks at it may go on."""
    try:
        here.run("umount", *how, str(folder))
    except (CommandFailed, Expired):
        here.run("umount", *how, "--lazy", str(folder))
        return False
    return True
