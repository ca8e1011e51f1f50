"""Mounts that only this process and its children see."""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NEW_MOUNTS = 0x20000
"""CLONE_NEWNS of sched.h."""
_RECURSIVE, _PRIVATE = 0x4000, 1 << 18
"""MS_REC and MS_PRIVATE of sys/mount.h."""
_OCTAL = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """A line of mountinfo(5)."""

    number: int
    """No other mount of this machine has it, whichever namespace it is in."""
    at: bytes
    source: bytes


def separate_mounts() -> None:
    """From here on, what this thread and its children mount vanishes with them, even when killed.

    A unit may be forbidden to (RestrictNamespaces); its PrivateMounts do the same for it.
    """
    c = ctypes.CDLL(None, use_errno=True)
    if c.unshare(_NEW_MOUNTS):
        if not _apart():
            raise OSError(ctypes.get_errno(), "this process may have no mounts of its own")
    elif c.mount(b"none", b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None):
        raise OSError(ctypes.get_errno(), "the mounts of this process cannot be made private")


def mounts(process: int | str = "thread-self") -> Iterator[Mount]:
    """What a process sees mounted, in the order of mounting."""
    for line in Path(f"/proc/{process}/mountinfo").read_bytes().splitlines():
        before, _, after = line.partition(b" - ")
        fields = before.split(b" ")
        yield Mount(int(fields[0]), _plain(fields[4]), _plain(after.split(b" ")[1]))


def _apart() -> bool:
    """Whether this process sees none of the mounts that the machine's first one sees."""
    # The link /proc/1/ns/mnt would tell, but is hidden from whoever has fewer capabilities.
    first = {each.number for each in mounts(1)}
    return first.isdisjoint(each.number for each in mounts())


def _plain(text: bytes) -> bytes:
    return _OCTAL.sub(lambda found: bytes([int(found[1], 8)]), text)
