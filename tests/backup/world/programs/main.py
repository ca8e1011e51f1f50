"""From the name of a program and its arguments to what it does."""

import os
import sys
from collections.abc import Sequence

from . import datasets, listing, mounts, pools, snapshots
from .answers import Refused, Usage, complain, say
from .faults import Faults
from .state import changing, reading

LOOKS = {
    ("zfs", "list"): listing.zfs_list,
    ("zfs", "get"): listing.zfs_get,
    ("zfs", "holds"): snapshots.zfs_holds,
    ("zpool", "list"): pools.zpool_list,
    ("zpool", "get"): pools.zpool_get,
    ("zpool", "status"): pools.zpool_status,
}
CHANGES = {
    ("zfs", "snapshot"): snapshots.zfs_snapshot,
    ("zfs", "snap"): snapshots.zfs_snapshot,
    ("zfs", "destroy"): datasets.zfs_destroy,
    ("zfs", "hold"): snapshots.zfs_hold,
    ("zfs", "release"): snapshots.zfs_release,
    ("zfs", "bookmark"): snapshots.zfs_bookmark,
    ("zfs", "create"): datasets.zfs_create,
    ("zfs", "clone"): datasets.zfs_clone,
    ("zfs", "set"): datasets.zfs_set,
    ("zfs", "inherit"): datasets.zfs_inherit,
    ("zfs", "mount"): datasets.zfs_mount,
    ("zfs", "unmount"): datasets.zfs_unmount,
    ("zfs", "umount"): datasets.zfs_unmount,
    ("zfs", "rename"): datasets.zfs_rename,
    ("zfs", "rollback"): datasets.zfs_rollback,
    ("zfs", "load-key"): datasets.zfs_load_key,
    ("zfs", "unload-key"): datasets.zfs_unload_key,
    ("zpool", "sync"): pools.zpool_sync,
}


def main(program: str, folder: str) -> int:
    """Run PROGRAM in the world of FOLDER with this process's arguments."""
    argv = [os.fsencode(word).decode("utf-8", "surrogateescape") for word in sys.argv[1:]]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    faults = Faults(folder)
    try:
        faults.meet(program, argv)
        status = _run(program, folder, argv, faults)
        sys.stdout.flush()
        faults.leave()
    except Refused as refusal:
        sys.stdout.flush()
        complain(str(refusal))
        status = refusal.status
    return status


def _run(program: str, folder: str, argv: Sequence[str], faults: Faults) -> int:
    if program == "mount":
        return mounts.mount(folder, faults, argv)
    if program == "umount":
        return mounts.umount(folder, argv)
    verb = argv[0] if argv else ""
    if verb in ("version", "--version", "-V"):
        with reading(folder) as state:
            say(f"zfs-{state.version}-1\nzfs-kmod-{state.version}-1")
        return 0
    if (program, verb) in LOOKS:
        with reading(folder) as state:
            return LOOKS[program, verb](state, faults, argv[1:])
    if (program, verb) in CHANGES:
        faults.hang_if_stuck(argv[1:])
        with changing(folder) as state:
            return CHANGES[program, verb](state, faults, argv[1:])
    if (program, verb) == ("zfs", "send"):
        from .sending import zfs_send  # these two are slow to start

        return zfs_send(folder, faults, argv[1:])
    if program == "zfs" and verb in ("receive", "recv"):
        from .receiving import zfs_receive

        faults.hang_if_stuck(argv[1:])
        return zfs_receive(folder, faults, argv[1:])
    raise Usage(f"unrecognized command '{verb}'" if verb else "missing command", program)
