"""Mounts and processes of a world, as the machine below it sees them."""

import contextlib
import ctypes
import functools
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from tests.backup.world.programs.faults import inhabitants
from tests.backup.world.programs.mounts import real

_NEW_NAMESPACE = 0x00020000
_SLAVE_BELOW = (1 << 19) | (1 << 14)


@functools.cache
def of_its_own() -> None:
    """Give the tests a mount namespace: what they mount ends with them, however they end."""
    libc = ctypes.CDLL(None, use_errno=True)
    for failed in (
        libc.unshare(_NEW_NAMESPACE),
        libc.mount(b"none", b"/", None, ctypes.c_ulong(_SLAVE_BELOW), None),
    ):
        if failed:
            raise OSError(ctypes.get_errno(), "only root can give the tests mounts of their own")


def program(name: str, path: str) -> str:
    """The file of a program on a PATH."""
    found = shutil.which(name, path=path)
    assert found, f"no {name} on {path}"
    return found


def mounts(root: Path) -> list[str]:
    """Where snapshots of this world are mounted, in any namespace."""
    mark = f"lowerdir={root}/contents/"
    found, seen = set(), set()
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            space = os.readlink(process / "ns/mnt") if process.name.isdigit() else ""
            if space and space not in seen:
                seen.add(space)
                lines = (process / "mountinfo").read_text(errors="surrogateescape").splitlines()
                found |= {line.split(" ")[4] for line in lines if mark in line}
    return sorted(found)


def clear(root: Path) -> None:
    """Take away every mount below ROOT, the newest first."""
    text = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    below = [line.split(" ")[4] for line in text.splitlines() if f" {root}/" in line]
    for path in reversed(below):
        plain = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), path)
        subprocess.run([real("umount"), "--lazy", "--no-mtab", plain], check=False)


def end(folder: str) -> None:
    """Every process that was started in it."""
    for pid in inhabitants(folder):
        if pid != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
