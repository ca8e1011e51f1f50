"""mount and umount: what is of ZFS becomes a view of a folder, the rest is the real program's.

A snapshot is an overlay of its folder: read-only, with a device number of its own, and with its
name as the source in /proc/self/mountinfo, all as it is with ZFS.
"""

import contextlib
import os
from collections.abc import Sequence

from .answers import Refused
from .faults import Faults
from .listing import exists
from .properties import Asked
from .state import State, changing, reading

REAL = ("/run/current-system/sw/bin", "/usr/bin", "/bin")


def real(program: str) -> str:
    """The program that the world stands in front of."""
    for folder in REAL:
        path = os.path.join(folder, program)
        if os.access(path, os.X_OK):
            return path
    raise Refused(f"{program}: command not found", 127)


def mount(folder: str, faults: Faults, argv: Sequence[str]) -> int:
    """`mount -t zfs [-o OPTIONS] WHAT PATH`; anything else is passed on."""
    kind, options, words = _parts(argv)
    if kind != "zfs":
        program = real("mount")
        os.execv(program, [program, *argv])
    what, path = words
    faults.hang_if_stuck([what])
    with reading(folder) as state:
        _check(state, faults, what, options)
        if not os.path.isdir(path):
            raise Refused(f"mount: {path}: mount point does not exist.", 32)
        _attach(state, what, path, options)
    return 0


def umount(folder: str, argv: Sequence[str]) -> int:
    """The real one; a dataset that it takes away is no longer mounted."""
    program = real("umount")
    status = os.spawnv(os.P_WAIT, program, [program, *argv])
    with changing(folder) as state:
        for data in state.datasets.values():
            if data.mounted and not is_mounted(data.folder):
                data.mounted = 0
    return status


def _parts(argv: Sequence[str]) -> tuple[str, list[str], list[str]]:
    kind, options, words = "", list[str](), list[str]()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word in ("-t", "--types") and rest:
            kind = rest.pop(0)
        elif word in ("-o", "--options") and rest:
            options += rest.pop(0).split(",")
        elif word in ("-r", "--read-only"):
            options.append("ro")
        elif word.startswith("-"):
            return "", [], []
        else:
            words.append(word)
    return (kind, options, words) if len(words) == 2 else ("", [], [])


def _check(state: State, faults: Faults, what: str, options: Sequence[str]) -> None:
    try:
        exists(state, faults, what)
    except Refused as refusal:
        text = f"filesystem '{what}' cannot be mounted"
        raise Refused(f"{text}, unable to open the dataset") from refusal
    if Asked(state, faults, what).value("keystatus")[0] == "unavailable":
        raise Refused(f"filesystem '{what}' can not be mounted: Permission denied", 1)
    live = "@" not in what and state.datasets[what].props.get("mountpoint") != "legacy"
    if live and "zfsutil" not in options:
        raise Refused(
            f"filesystem '{what}' cannot be mounted using 'mount'.\n"
            f"Use 'zfs set mountpoint=legacy' or 'zfs mount {what}'.\n"
            "See zfs(8) for more information."
        )


def _attach(state: State, what: str, path: str, options: Sequence[str]) -> None:
    snapshot = state.snapshot(what)
    if snapshot:
        folder = state.place(snapshot.folder or "nothing")
        layers = f"{folder}:{state.place('nothing')}"
        wanted = [
            "ro",
            f"lowerdir={layers}",
            *(each for each in options if each not in ("ro", "rw")),
        ]
        argv = ["-t", "overlay", "-o", ",".join(wanted), what, path]
    else:
        argv = ["--bind", state.place(state.datasets[what].folder), path]
    program = real("mount")
    if os.spawnv(os.P_WAIT, program, ["mount", "--no-mtab", *argv]):
        raise Refused(f"mount: {path}: the world cannot mount {what}", 32)


def attach_dataset(state: State, name: str, path: str) -> None:
    """Mount a live dataset where it belongs."""
    os.makedirs(path, exist_ok=True)
    _attach(state, name, path, [])
    state.datasets[name].mounted = 1


def is_mounted(folder: str) -> bool:
    """Whether a folder of the world is in sight of any process, in any mount namespace."""
    mark = f"/contents/{folder}".encode()
    seen: set[str] = set()
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            space = os.readlink(f"/proc/{name}/ns/mnt") if name.isdigit() else ""
            if not space or space in seen:
                continue
            seen.add(space)
            with open(f"/proc/{name}/mountinfo", "rb") as file:
                if folder and mark in file.read():
                    return True
    return False
