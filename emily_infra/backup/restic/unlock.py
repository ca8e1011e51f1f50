"""Locks that dead runs left in a repository; a live one, or another host's, is never touched."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emily_infra.backup import state
from emily_infra.backup.here import started
from emily_infra.backup.metrics import Sample, publish
from emily_infra.backup.restic.faults import NoRepository, ResticFailed
from emily_infra.backup.restic.messages import Message, moment
from emily_infra.backup.restic.outcome import LOCKED, Done
from emily_infra.backup.restic.program import Call, Restic, document, unheard, waiting

_SECONDS = 300.0
_LOOK = 15.0
"""Seconds between two looks at who holds a lock."""
_STALE = timedelta(minutes=30)
"""restic refreshes a lock every five minutes, and holds one of this age for dead."""


@dataclass(frozen=True)
class Lock:
    """A lock in a repository, as its holder wrote it."""

    id: str
    host: str
    pid: int
    since: datetime

    def is_dead(self, now: datetime) -> bool:
        """Whether its process, of this host, is gone; a younger one may have got its number."""
        began = _began(self.pid)
        if began is None:
            return True
        # restic's own unlock knows no start times: it spares this one until it is old.
        return began > self.since + timedelta(seconds=2) and now - self.since > _STALE


def unlocked(
    restic: Restic, call: Call, hear: Callable[[Message], None] = unheard, *, wait: float
) -> Done:
    """Run restic; where it meets a lock, take away what dead runs left, and wait for the others.

    To be called while this host's lock of the repository is held: no other run of ours lives.
    """
    until = time.monotonic() + wait
    done = restic.talk(call, hear)
    left = wait
    while done.status == LOCKED and left >= 0:
        free(restic)
        left = until - time.monotonic()
        # Not all of it at once: who is still dying now is dead at the next look.
        done = restic.talk(waiting(call, max(0.0, min(left, _LOOK))), hear)
    return done


def free(restic: Restic) -> int:
    """Take the locks away if every one of them is a dead run's of this host; how many went."""
    found = locks(restic)
    mine = os.uname().nodename
    if not found or any(each.host != mine or not each.is_dead(_now()) for each in found):
        return 0
    restic.must(Call(("unlock",), deadline=_SECONDS))  # takes stale ones only, by its own judgement
    gone = {each.id for each in found} - {each.id for each in locks(restic)}
    for each in found:
        if each.id in gone:
            restic.here.tell(
                f"repository {restic.name}: removed the lock of process {each.pid} of this host, "
                f"of {each.since:%Y-%m-%d %H:%M:%SZ}, which is dead"
            )
    _count(restic, len(gone))
    return len(gone)


def locks(restic: Restic) -> list[Lock]:
    """The locks that are in the repository now."""
    names = restic.answer(Call(("--no-lock", "list", "locks"), deadline=_SECONDS)).split()
    found = (_lock(restic, name.decode("ascii", "replace")) for name in names)
    return [each for each in found if each]


def _lock(restic: Restic, name: str) -> Lock | None:
    """A lock; nothing where it went in the meantime."""
    try:
        raw = document(restic, "cat", "lock", name, deadline=_SECONDS)
        return Lock(name, str(raw["hostname"]), int(str(raw["pid"])), moment(str(raw["time"])))
    except (ResticFailed, NoRepository):
        return None
    except (KeyError, ValueError):
        return Lock(name, "", 0, _now())  # not understood: somebody else's


def _began(pid: int) -> datetime | None:
    """When the living process of a number began."""
    ticks = started(pid)
    if ticks is None:
        return None
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return _now() - timedelta(seconds=uptime - ticks / os.sysconf("SC_CLK_TCK"))


def _now() -> datetime:
    """The real time: a lock is compared with processes, not with a schedule."""
    return datetime.now(UTC)


def _count(restic: Restic, gone: int) -> None:
    file = restic.here.settings.paths.state / "repositories" / f"{restic.name}-locks.json"
    before = (state.read(file) or {}).get("removed")
    total = gone + (before if isinstance(before, int) else 0)
    state.write(file, {"removed": total})
    labels = {"repository": restic.name}
    publish(
        restic.here, f"locks-{restic.name}", [Sample("emily_lock_removed_total", total, labels)]
    )
