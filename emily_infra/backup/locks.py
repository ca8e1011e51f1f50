"""One run at a time on a pool or a repository; the kernel frees a dead run's lock."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from emily_infra.backup.faults import Busy
from emily_infra.backup.here import Here

_TICK = 0.2


@contextlib.contextmanager
def locked(here: Here, thing: str, *, verb: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock of a thing (pool-tank, repository-s3); Busy where another keeps it for WAIT s.

    The lock is the open file (flock(2)): its programs do not inherit it, nothing has to be removed.
    """
    folder = here.settings.paths.locks
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / thing.replace("/", "-")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, path, wait)
        about = {"pid": os.getpid(), "verb": verb, "since": here.now().isoformat()}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(about).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, wait: float) -> None:
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise _busy(path) from None
            time.sleep(_TICK)
        else:
            return


def _busy(path: Path) -> Busy:
    who = holder(path)
    by = f"{who['verb']} (process {who['pid']}, since {who['since']})" if who else "another run"
    return Busy(
        f"{path.name}: {by} is at work on it",
        hint="wait for it, or look at it: "
        + (f"ps -f -p {who['pid']}" if who else f"fuser -v {path}"),
    )


def holder(path: Path) -> dict[str, str] | None:
    """Who holds a lock, as it wrote down itself; nothing where the lock is free."""
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                about = json.loads(file.read(4096) or b"{}")
                return {key: str(about.get(key, "?")) for key in ("pid", "verb", "since")}
    except (OSError, ValueError):
        return None
    return None
