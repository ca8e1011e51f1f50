"""A pool's upkeep: what is due is taken, and what its policies keep no longer goes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cached_property

from emily_infra.backup import latch, ledger, pools
from emily_infra.backup.catalogue import Snapshot, existing, exists, reap, snapshots
from emily_infra.backup.expire import Expiry, Judge, Plan, batches, carried_out, unbound
from emily_infra.backup.here import Here
from emily_infra.backup.locks import locked
from emily_infra.backup.metrics import Sample, publish
from emily_infra.backup.names import by_pool, pool_of
from emily_infra.backup.occasion import Occasion
from emily_infra.backup.quiesce import let_go, quiet
from emily_infra.backup.retention import Gap, Leave, Reason, due
from emily_infra.backup.settings import Policy
from emily_infra.backup.snapshot import NotTaken, take
from emily_infra.errors import EmilyError

_OF_THE_CLOCK = (Reason.FUTURE, Reason.BACKWARDS, Reason.PAUSE)


class Work(StrEnum):
    """What a run is to do."""

    SNAPSHOT = "snapshot"
    """Take what is due; then let go what is not kept any more."""
    EXPIRE = "expire"


@dataclass(frozen=True)
class Order:
    """What is asked of a run."""

    work: Work = Work.SNAPSHOT
    occasion: Occasion = Occasion.POLICY
    leave: frozenset[Leave] = frozenset()
    wait: float = 60.0
    """Seconds for another run to end."""


@dataclass
class Run:
    """What came of one pool."""

    pool: str
    taken: list[Snapshot] = field(default_factory=list)
    expired: list[Expiry] = field(default_factory=list)
    trouble: list[EmilyError] = field(default_factory=list)


def upkeep(here: Here, order: Order) -> list[Run]:
    """Every pool by itself: what is wrong with one holds up no other."""
    return [_worked(here, order, run, judged) for run, judged in _pools(here)]


def foreseen(here: Here, leave: frozenset[Leave]) -> list[Run]:
    """What `expire` would do now; nothing is changed, and nothing waited for."""
    found = []
    for run, policies in _pools(here):
        try:
            pools.alive(here, run.pool)
            pool = _Pool(here, Order(Work.EXPIRE, leave=leave), run, policies)
            run.expired = [_foreseen(here, plan) for plan in pool.plans()]
        except EmilyError as error:
            run.trouble.append(error)
        found.append(run)
    return found


def _foreseen(here: Here, plan: Plan) -> Expiry:
    done = Expiry(plan)
    for some in batches(plan.expired):
        unbound(here, some, done.spared)
    return done


def _pools(here: Here) -> list[tuple[Run, dict[str, Policy]]]:
    """Of each pool, the datasets with a policy of this host's own."""
    settings = here.settings
    own = {name: policy for name in settings.datasets if (policy := settings.policy_of(name))}
    found = by_pool(own)
    for receive in settings.receives.values():
        found.setdefault(pool_of(receive.into), [])
    return [(Run(pool), {name: own[name] for name in found[pool]}) for pool in sorted(found)]


def _worked(here: Here, order: Order, run: Run, policies: dict[str, Policy]) -> Run:
    try:
        with locked(here, f"pool-{run.pool}", verb=order.work, wait=order.wait):
            pools.alive(here, run.pool)
            _Pool(here, order, run, policies).work()
    except EmilyError as error:
        run.trouble.append(error)
    return run


class _Pool:
    """One pool while its lock is held."""

    def __init__(self, here: Here, order: Order, run: Run, own: Mapping[str, Policy]) -> None:
        self._here = here
        self._order = order
        self._run = run
        self._own = dict(own)
        self._senders: dict[str, list[str]] = {}
        self._listed: dict[str, list[Snapshot]] = {}
        self._now = here.now()

    def work(self) -> None:
        """All that is asked, in the order that the room in the pool allows."""
        self._run.trouble += let_go(self._here, self._run.pool)
        if self._order.occasion is Occasion.APPLY:
            self._take(self._there())  # a deploy waits: nothing is listed
            return
        self._list()
        try:
            if self._order.work is Work.EXPIRE:
                self._expire()
            else:
                self._snapshot()
        finally:
            publish(self._here, f"snapshots-{self._run.pool}", self._samples())

    def plans(self) -> list[Plan]:
        """What is to become of each dataset's snapshots, by this clock."""
        if not self._listed:
            self._list()
        known = latch.remembered(self._here)
        if Leave.CLOCK in self._order.leave:  # a look ahead has not had it remembered
            known = known.vouched(self._now, self._all())
        judge = Judge(known, self._now, self._order.leave, self._gaps())
        policies = {**self._own, **self._received()}
        return [judge.plan(policies[name], name, self._listed[name]) for name in policies]

    def _gaps(self) -> dict[str, Gap]:
        """What waits for a copy, of this host's own; on a nearly full pool nothing waits."""
        settings = self._here.settings
        longest = timedelta(seconds=settings.uncopied)
        waiting = {name: settings.datasets[name].repositories for name in self._own}
        if not longest or not any(waiting.values()) or self._is_low:
            return {}
        named = sorted({name for names in waiting.values() for name in names})
        known = {name: ledger.load(self._here, name) for name in named}
        return {
            dataset: Gap(ledger.copied([known[name] for name in names], dataset), longest)
            for dataset, names in waiting.items()
            if names
        }

    @cached_property
    def _is_low(self) -> bool:
        """As this run found it."""
        return pools.is_low(self._here, self._run.pool)

    def _list(self) -> None:
        names = [*self._there(), *self._sent_here()]
        self._listed = {name: snapshots(self._here, name) for name in names}

    def _all(self) -> list[Snapshot]:
        return [one for listed in self._listed.values() for one in listed]

    def _there(self) -> list[str]:
        """This host's own datasets, each that is missing told."""
        there = existing(self._here, list(self._own)) if self._own else []
        for name in sorted(self._own.keys() - set(there)):
            del self._own[name]
            self._run.trouble.append(
                NotTaken(
                    f"{name} does not exist, so that no snapshot is taken of it",
                    hint=f"emily-infra plan {self._here.settings.host}    # it would make it",
                )
            )
        return there

    def _received(self) -> dict[str, Policy]:
        """What is kept here of each dataset that another host has sent."""
        keeps = {name: each.keep for name, each in self._here.settings.receives.items()}
        return {name: keeps[sender] for sender, sent in self._senders.items() for name in sent}

    def _sent_here(self) -> list[str]:
        """The datasets of each host that sends its snapshots here."""
        for sender, receive in self._here.settings.receives.items():
            into = receive.into
            if pool_of(into) != self._run.pool or not exists(self._here, into):
                continue
            below = self._here.run("zfs", "list", "-H", "-o", "name", "-r", into).splitlines()
            self._senders[sender] = [name for name in below if name not in self._own]
        return list(self._received())

    def _snapshot(self) -> None:
        if self._is_low:
            self._here.tell(f"pool {self._run.pool} is nearly full: old snapshots go first")
            self._expire()
        wanted = [
            name
            for name, policy in self._own.items()
            if due(policy.counts, [s.creation for s in self._listed[name] if s.mine], self._now)
        ]
        if wanted:
            with quiet(self._here, self._run.pool, wanted) as still:
                self._take([name for name in wanted if name not in still.refused])
            self._run.trouble += still.trouble
        if not self._is_low:
            self._expire()

    def _take(self, wanted: list[str]) -> None:
        if not wanted:
            return
        known = latch.remembered(self._here)
        names = {each.name for name in wanted for each in self._listed.get(name, ())}
        taken = self._taken(wanted, names)
        if known.highest and known.is_behind(self._now):
            self._here.tell("this clock was further already; the snapshot counts from then on")
            latch.misdated(self._here, taken, known.highest)
        for each in taken:
            self._listed.setdefault(each.dataset, []).append(each)
        self._run.taken = taken

    def _taken(self, wanted: list[str], names: set[str]) -> list[Snapshot]:
        """Of all that can be: one command takes all or none, and one may lack what it reserves."""
        try:
            return take(self._here, wanted, names, self._order.occasion)
        except NotTaken as error:
            rest = [name for name in wanted if name not in error.blamed]
            if not rest or len(rest) == len(wanted):
                raise
            self._run.trouble.append(error)
            return take(self._here, rest, names, self._order.occasion)

    def _expire(self) -> None:
        here = self._here
        if Leave.CLOCK in self._order.leave:
            latch.set_right(here, self._now, self._all())
        # Also of runs for what is no longer in host.yaml: nobody else would look for those.
        reap(here, "", self._all())
        plans = self.plans()
        gently = any(plan.expired for plan in plans) and self._is_unwell()
        for plan in plans:
            done = carried_out(here, plan, gently=gently)
            self._run.expired.append(done)
            if done.trouble:
                self._run.trouble.append(done.trouble)
            gone = {each.guid for each in done.destroyed}
            self._listed[plan.dataset] = [
                each for each in self._listed[plan.dataset] if each.guid not in gone
            ]
        fine = [plan.dataset for plan in plans if _clock_is_fine(plan)]
        if fine:  # else this clock is believed in nothing, and not remembered
            latch.looked_at(here, fine, self._now)

    def _is_unwell(self) -> bool:
        pool = self._run.pool
        health = pools.alive(self._here, pool).health
        return health != "ONLINE" or pools.is_repairing(self._here, pool)

    def _samples(self) -> Iterable[Sample]:
        for dataset, listed in sorted(self._listed.items()):
            ours = [each for each in listed if each.mine]
            where = {"dataset": dataset}
            yield Sample("emily_snapshot_count", len(ours), where)
            if ours:
                newest = max(ours, key=lambda each: each.createtxg).creation
                yield Sample("emily_snapshot_newest_timestamp_seconds", newest.timestamp(), where)
        for done in self._run.expired:
            if stop := done.plan.verdict.stop:
                labels = {"dataset": done.plan.dataset, "reason": str(stop.reason)}
                yield Sample("emily_snapshot_stopped", 1, labels)
        for sender, came in sorted(self._newest_of_senders()):
            yield Sample("emily_received_newest_timestamp_seconds", came, {"sender": sender})

    def _newest_of_senders(self) -> Iterator[tuple[str, float]]:
        """When the newest snapshot of all that a host sends here was taken there."""
        for name, datasets in self._senders.items():
            listed = [each for dataset in datasets for each in self._listed.get(dataset, ())]
            moments = [each.creation.timestamp() for each in listed if each.mine]
            if moments:
                yield name, max(moments)


def _clock_is_fine(plan: Plan) -> bool:
    stop = plan.verdict.stop
    return stop is None or stop.reason not in _OF_THE_CLOCK
