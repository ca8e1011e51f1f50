"""The QEMU process of a lab: found again by its number, ended for certain."""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def running(pid_file: Path) -> int | None:
    """The process that wrote PID_FILE, if it still runs; a stale number may be anybody's."""
    try:
        pid = int(pid_file.read_text())
        command = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    # A process that has ended and that nobody has asked after has an empty command line.
    return pid if str(pid_file).encode() in command else None


def kill(pid_file: Path) -> None:
    """What a power cut is to a machine; returns when nothing of it runs any more."""
    if pid := running(pid_file):
        with _handle(pid) as ended, contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            ended(30.0)
    pid_file.unlink(missing_ok=True)


def ends(pid_file: Path, seconds: float) -> bool:
    """Whether the process ends by itself within SECONDS."""
    pid = running(pid_file)
    if pid is None:
        return True
    with _handle(pid) as ended:
        return ended(seconds)


class _Handle:
    """A process that is not a child of ours."""

    def __init__(self, file: int | None) -> None:
        self.file = file

    def __call__(self, seconds: float) -> bool:
        """Whether it ends within SECONDS."""
        if self.file is None:
            return True
        return bool(select.select([self.file], [], [], seconds)[0])


@contextlib.contextmanager
def _handle(pid: int) -> "Iterator[_Handle]":
    try:
        file = os.pidfd_open(pid)
    except ProcessLookupError:
        yield _Handle(None)
        return
    try:
        yield _Handle(file)
    finally:
        os.close(file)
