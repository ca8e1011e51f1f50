"""Whether a pool lives, what it is busy with and how full it is: asked before it is touched."""

import time
from dataclasses import dataclass

from emily_infra.backup.faults import BackupError
from emily_infra.backup.here import Here
from emily_infra.backup.progress import Going, Progress
from emily_infra.observe.pools import STUCK_AFTER, committed_age
from emily_infra.observe.values import number
from emily_infra.observe.vdevs import statuses

LOW = 0.05
"""Of what datasets may have; a pool's own capacity column still says 95 % when nothing is left."""
BUSY_SYNC = 2.0
"""Seconds that a transaction group takes to be written; by default one is begun every 5 s."""
_WORKS = ("ONLINE", "DEGRADED")
_PATIENCE = 30.0
_TICK = 1.0
_GLANCE = 5.0
_LATEST = 5


class Standstill(BackupError):
    """A pool takes no writes, so that a command about it would fail or hang."""

    code = "BKP010"


@dataclass(frozen=True)
class Look:
    """What the kernel says of a pool, without asking the pool."""

    pool: str
    health: str
    committed_age: float | None
    """Seconds since it last wrote a transaction group; an idle pool does every 5 s."""
    sync: float
    """Seconds that the longest of the latest groups took to be written."""

    @property
    def is_busy(self) -> bool:
        """Whether others wait for its disks already."""
        return self.sync > BUSY_SYNC


def alive(here: Here, pool: str) -> Look:
    """The pool, which takes writes; Standstill where it does not."""
    seen = look(here, pool)
    if not seen.health:
        raise Standstill(
            f"pool {pool} is not imported",
            hint=f"look for it: zpool import; then: zpool import {pool}",
        )
    if seen.health not in _WORKS:
        raise Standstill(
            f"pool {pool} is {seen.health}: it takes no snapshots, and nothing is destroyed",
            hint=f"zpool status -v {pool}    # bring its disks back, then: zpool clear {pool}",
        )
    if seen.committed_age is not None and seen.committed_age > STUCK_AFTER:
        raise Standstill(
            f"pool {pool} is called {seen.health} and has written nothing for "
            f"{seen.committed_age:.0f} s: it is stuck, whatever its health says",
            hint=f"dmesg | tail -50; zpool status -v {pool}    # a disk or its cable is gone",
        )
    return seen


def look(here: Here, pool: str) -> Look:
    """What the kernel's own files say; a pool that is not imported has no health."""
    folder = here.settings.paths.kstat / pool
    txgs = _text(here, f"{pool}/txgs")
    if not folder.is_dir():
        return Look(pool, "", None, 0.0)
    health = _text(here, f"{pool}/state").strip()
    if not health:  # before OpenZFS 2.0
        health = here.run("zpool", "list", "-H", "-o", "health", pool, deadline=30).strip()
    return Look(pool, health, committed_age(_text(here, "fm"), txgs), sync_seconds(txgs))


def sync_seconds(txgs: str) -> float:
    """How long the slowest of the latest committed groups was written (spa_stats.c)."""
    lines = [words for words in map(str.split, txgs.splitlines()) if len(words) >= 12]
    spans = [number(words[11]) or 0 for words in lines if words[2] == "C"]
    return max(spans[-_LATEST:], default=0) / 10**9


def breathe(here: Here, pool: str) -> None:
    """Let a busy pool serve others first, for a while; Standstill where it stopped meanwhile."""
    until = time.monotonic() + _PATIENCE
    while alive(here, pool).is_busy and time.monotonic() < until:
        time.sleep(_TICK)


def watched(here: Here, names: frozenset[str], progress: Progress) -> Progress:
    """PROGRESS of whoever reads from these pools; Standstill ends it when one of them stops."""
    glanced = time.monotonic()

    def went_on(going: Going) -> None:
        nonlocal glanced
        progress(going)
        if time.monotonic() - glanced > _GLANCE:
            for name in sorted(names):
                alive(here, name)
            glanced = time.monotonic()

    return went_on


def is_repairing(here: Here, pool: str) -> bool:
    """Whether a resilver runs: it goes before anything that can wait."""
    seen = statuses(here.run("zpool", "status", "-P", "-p", pool, deadline=30)).get(pool)
    scans = seen.scans if seen else ()
    return any(scan.kind == "resilver" and scan.state == "running" for scan in scans)


def is_low(here: Here, pool: str) -> bool:
    """Whether a pool has so little room that old snapshots have to go before a new one comes."""
    listed = here.run("zfs", "list", "-Hp", "-o", "available,used", pool)
    available, used = (number(word) or 0 for word in listed.split())
    return available < LOW * (available + used)


def _text(here: Here, name: str) -> str:
    try:
        return (here.settings.paths.kstat / name).read_text("ascii", "replace")
    except OSError:
        return ""
