"""Destroying what a policy keeps no longer: bound to guids, by name lists, and slow to insist."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from emily_infra.backup import latch, pools
from emily_infra.backup.catalogue import AT_ONCE, GONE, Snapshot
from emily_infra.backup.faults import INCOMPLETE, BackupError
from emily_infra.backup.here import Here
from emily_infra.backup.latch import Latch
from emily_infra.backup.names import OURS, pool_of
from emily_infra.backup.retention import Gap, Leave, Verdict, decide
from emily_infra.backup.settings import Policy
from emily_infra.machine import CommandFailed

_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:/-]*")
_COLUMNS = "name,guid,createtxg,userrefs,clones"
_LISTING = 600.0
_DESTROYING = 900.0
_PATIENCE = 40
"""Lists that may fail in one dataset before the rest is left for another time."""


class Stopped(BackupError):
    """Nothing of a dataset is destroyed until a person has looked."""

    code = "BKP012"


class NotDestroyed(BackupError):
    """Some snapshots that are not kept any more could not be destroyed."""

    code = "BKP014"
    exit_code = INCOMPLETE


@dataclass(frozen=True)
class Plan:
    """What is to become of a dataset's snapshots."""

    dataset: str
    ours: tuple[Snapshot, ...]
    """The oldest first."""
    foreign: int
    """Snapshots that are not ours, and are never touched."""
    verdict: Verdict

    @property
    def expired(self) -> tuple[Snapshot, ...]:
        """What the policy does not keep, the oldest first."""
        wanted = {point.guid for point in self.verdict.expired}
        return tuple(each for each in self.ours if str(each.guid) in wanted)

    @property
    def stopped(self) -> Stopped | None:
        """Why nothing of it may be destroyed now."""
        stop = self.verdict.stop
        return Stopped(f"{self.dataset}: {stop.message}", hint=stop.hint) if stop else None


@dataclass
class Expiry:
    """What became of a plan."""

    plan: Plan
    destroyed: list[Snapshot] = field(default_factory=list)
    spared: dict[str, str] = field(default_factory=dict)
    """By name, what is in use and stays for now: held, cloned, mounted, another one by now."""
    waiting: int = 0
    """Left for the next run, because the pool is being repaired."""

    @property
    def trouble(self) -> Stopped | NotDestroyed | None:
        """What a person has to hear of."""
        busy = sorted(name for name, why in self.spared.items() if why == "busy")
        if self.plan.stopped or not busy:
            return self.plan.stopped
        names = ", ".join(busy[:3]) + (f" and {len(busy) - 3} more" if len(busy) > 3 else "")
        return NotDestroyed(
            f"{self.plan.dataset}: {len(busy)} expired snapshots are in use: {names}",
            hint=f"see who reads it: grep -l {busy[0]} /proc/*/mountinfo; it goes in a later run",
        )


@dataclass(frozen=True)
class Judge:
    """By what clock, and with what leave, snapshots are judged."""

    known: Latch
    now: datetime
    leave: frozenset[Leave] = frozenset()
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    """By dataset."""

    def plan(self, policy: Policy, dataset: str, taken: Sequence[Snapshot]) -> Plan:
        """What the policy makes of a dataset's snapshots."""
        ours = tuple(each for each in taken if each.mine)
        verdict = decide(
            policy.counts,
            [self.known.point(each) for each in ours],
            self.known.times(dataset, self.now),
            self.leave,
            self.gaps.get(dataset),
        )
        return Plan(dataset, ours, len(taken) - len(ours), verdict)


def carried_out(here: Here, plan: Plan, *, gently: bool) -> Expiry:
    """Destroy what a plan lets go, as far as it is still what it was; GENTLY is one list only."""
    done = Expiry(plan)
    if plan.stopped:
        return done
    pool = pool_of(plan.dataset)
    for number, some in enumerate(batches(plan.expired)):
        if gently and number:
            done.waiting += len(some)
            continue
        if number:
            pools.breathe(here, pool)
        else:
            pools.alive(here, pool)
        _Destroying(here, done).all(unbound(here, some, done.spared))
    latch.forgotten(here, [each.guid for each in done.destroyed])
    return done


class _Destroying:
    """One list of names after the other, halved where ZFS refuses a list for one of its names."""

    def __init__(self, here: Here, done: Expiry) -> None:
        self._here = here
        self._done = done
        self._failed = 0

    def all(self, some: Sequence[Snapshot]) -> None:
        """These, which were free a moment ago."""
        if not some:
            return
        command = destroying(self._done.plan.dataset, [each.name for each in some])
        try:
            self._here.run(*command, deadline=_DESTROYING)
        except CommandFailed:
            self._failed += 1
            if self._failed > _PATIENCE:
                raise
            self._fewer(some)
        else:
            self._done.destroyed += some

    def _fewer(self, some: Sequence[Snapshot]) -> None:
        """The texts of refusals differ from version to version; what is asked again does not."""
        pools.alive(self._here, pool_of(self._done.plan.dataset))
        free = unbound(self._here, some, self._done.spared)
        if len(free) < len(some):
            self.all(free)
        elif len(free) == 1:
            self._done.spared[free[0].full] = "busy"
        else:
            half = len(free) // 2
            self.all(free[:half])
            self.all(free[half:])


def unbound(here: Here, some: Sequence[Snapshot], spared: dict[str, str]) -> list[Snapshot]:
    """Those that are still the same and that nothing binds, as of now; why the others stay."""
    wanted = {each.full: each for each in some}
    free = []
    for line in _listed(here, list(wanted)).splitlines():
        full, guid, txg, holds, clones = line.split("\t")
        each = wanted[full]
        if (int(guid), int(txg)) != (each.guid, each.createtxg):
            spared[full] = "another"
        elif holds != "0":
            spared[full] = "held"
        elif clones not in ("", "-"):
            spared[full] = "cloned"
        else:
            free.append(each)
    return free


def _listed(here: Here, names: Sequence[str]) -> str:
    command = ("zfs", "list", "-Hp", "-t", "snapshot", "-o", _COLUMNS, *names)
    try:
        return here.run(*command, deadline=_LISTING)
    except CommandFailed as error:
        # One that is gone fails the command, which has told of all the others.
        if GONE in error.stderr:
            return error.stdout
        raise


def destroying(dataset: str, names: Sequence[str]) -> tuple[str, ...]:
    """The one command of ours that destroys: names of our own making, and nothing that spreads."""
    if not names or len(names) > AT_ONCE or not _DATASET.fullmatch(dataset):
        raise ValueError(f"not to be destroyed: {len(names)} of {dataset!r}")
    for name in names:
        if not OURS.fullmatch(name):
            raise ValueError(f"not to be destroyed: {name!r} of {dataset!r}")
    return ("zfs", "destroy", f"{dataset}@{','.join(names)}")


def batches(some: Sequence[Snapshot]) -> Iterator[Sequence[Snapshot]]:
    """Lists that one command takes."""
    for at in range(0, len(some), AT_ONCE):
        yield some[at : at + AT_ONCE]
