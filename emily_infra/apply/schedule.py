"""What is done next to which host of many. Pure: time and results are arguments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import NamedTuple


class Stage(Enum):
    """The way of one host; each stage has a limit of its own."""

    BUILD = "evaluate and build"
    COPY = "copy"
    ACTIVATE = "activate"
    RECHECK = "look again"


class Verdict(StrEnum):
    """What an apply came to on one host."""

    UNCHANGED = "unchanged"
    COMMITTED = "committed"
    REFUSED = "refused"
    UNREACHABLE = "out of reach"
    FAILED = "failed before any change"
    ROLLED_BACK = "rolled back"
    LOST = "lost"
    UNHEALTHY = "unhealthy after the soak"
    NOT_BEGUN = "not begun"
    LEFT = "left to its own guard"

    @property
    def is_good(self) -> bool:
        """Whether the host runs what it should and is well."""
        return self in (Verdict.UNCHANGED, Verdict.COMMITTED)

    @property
    def changed_nothing(self) -> bool:
        """Whether the host was not even begun with, or was left as it had been."""
        return self in _NOTHING_CHANGED

    @property
    def is_failure(self) -> bool:
        """Whether it counts against the budget of failures."""
        return not self.is_good and self is not Verdict.NOT_BEGUN


_NOTHING_CHANGED = (
    Verdict.REFUSED, Verdict.UNREACHABLE, Verdict.FAILED, Verdict.NOT_BEGUN
)  # fmt: skip
_CODES = {
    Verdict.UNREACHABLE: 8, Verdict.ROLLED_BACK: 3, Verdict.LOST: 4, Verdict.LEFT: 5,
    Verdict.UNHEALTHY: 5,
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """The one result of one host."""

    verdict: Verdict
    detail: str = ""
    code: int | None = None
    """The exit code of an apply to this host alone, where the verdict does not say it."""
    pending: str = ""
    """What counts only once the host has been started again, where that is still to be done."""

    @property
    def exit_code(self) -> int:
        """What an apply to this host alone exits with."""
        if self.code is not None:
            return self.code
        return 0 if self.verdict.is_good else _CODES.get(self.verdict, 1)


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 all well, 4 a host is lost, 5 partly applied, 3 rolled back and nothing applied, or why
    nothing was changed."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if len(outcomes) == 1:
        return outcomes[0].exit_code
    if all(verdict.is_good for verdict in verdicts):
        return 0
    if Verdict.LOST in verdicts:
        return 4
    if any(not v.changed_nothing and v is not Verdict.ROLLED_BACK for v in verdicts):
        return 5
    if Verdict.ROLLED_BACK in verdicts:
        return 3
    codes = {o.exit_code for o in outcomes if o.verdict.is_failure}
    return codes.pop() if len(codes) == 1 else 1


@dataclass(frozen=True)
class Limits:
    """How many hosts may be in a stage at once; a recheck counts as an activation."""

    build: int = 2
    copy: int = 4
    activate: int = 10

    def of(self, stage: Stage) -> int:
        """The limit of a stage."""
        limits = {Stage.BUILD: self.build, Stage.COPY: self.copy}
        return max(1, limits.get(stage, self.activate))


@dataclass(frozen=True)
class Policy:
    """How careful a run is."""

    limits: Limits = field(default_factory=Limits)
    max_failures: int = 0
    """Hosts that may fail, before any change or after, until the run stops; a host that is lost
    always stops it."""
    soak: float = 0.0
    """Seconds after each batch but the last, at whose end its hosts are looked at again."""
    failed_before: int = 0
    """Hosts that failed before the run began, such as those out of reach; they count as well."""


class Task(NamedTuple):
    """A stage of a host."""

    host: str
    stage: Stage


_NEXT = {Stage.BUILD: Stage.COPY, Stage.COPY: Stage.ACTIVATE}


class Schedule:
    """Who is where. Hosts are built and copied to ahead of time, and activated batch by batch."""

    def __init__(self, batches: Sequence[Sequence[str]], policy: Policy) -> None:
        self.batches = tuple(tuple(batch) for batch in batches)
        self.outcomes: dict[str, Outcome] = {}
        self.running: set[Task] = set()
        self.stopped = ""
        self._policy = policy
        self._waiting = {host: Stage.BUILD for batch in self.batches for host in batch}
        self._batch = 0
        self._rechecks = False
        self.wakes: float | None = None
        """When a soak ends: time alone then lets something begin."""
        self._watch_budget()

    @property
    def over(self) -> bool:
        """Whether every host has its outcome, and nothing runs."""
        return not self.running and not self._waiting and self.wakes is None

    @property
    def batch(self) -> int:
        """Which batch is being activated, from 0."""
        return self._batch

    def start(self, now: float) -> Iterator[Task]:
        """What begins now; each task counts as running from here on."""
        if self.batches:
            self._advance(now)
        for host, stage in list(self._waiting.items()):
            if self._may_begin(host, stage):
                del self._waiting[host]
                task = Task(host, stage)
                self.running.add(task)
                yield task

    def _may_begin(self, host: str, stage: Stage) -> bool:
        gated = stage in (Stage.ACTIVATE, Stage.RECHECK)
        if gated and (self.wakes is not None or host not in self.batches[self._batch]):
            return False
        return self._inside(stage) < self._policy.limits.of(stage)

    def _inside(self, stage: Stage) -> int:
        last = (Stage.ACTIVATE, Stage.RECHECK)
        share = last if stage in last else (stage,)
        return sum(task.stage in share for task in self.running)

    def finish(self, task: Task, outcome: Outcome | None, now: float) -> None:
        """A task is over; without an outcome the host goes on to its next stage."""
        assert outcome or task.stage is not Stage.ACTIVATE, "an activation ends in an outcome"
        self.running.remove(task)
        if outcome is None and task.stage in _NEXT:
            if self.stopped:
                self.outcomes[task.host] = Outcome(Verdict.NOT_BEGUN, self.stopped)
            else:
                self._waiting[task.host] = _NEXT[task.stage]
        elif outcome is not None:
            self.outcomes[task.host] = outcome
        self._watch_budget()
        self._advance(now)

    def stop(self, why: str) -> None:
        """Begin nothing any more; what runs may finish, and nobody who is well is undone."""
        if self.stopped:
            return
        self.stopped = why
        for host in self._waiting:
            self.outcomes.setdefault(host, Outcome(Verdict.NOT_BEGUN, why))
        self._waiting.clear()
        self.wakes = None

    def abandon(self, why: str) -> None:
        """Stop, and wait for nobody: each host decides for itself."""
        self.stop(why)
        for task in self.running:
            begun = task.stage in (Stage.ACTIVATE, Stage.RECHECK)
            verdict = Verdict.LEFT if begun else Verdict.NOT_BEGUN
            self.outcomes.setdefault(task.host, Outcome(verdict, why))
        self.running.clear()

    def _watch_budget(self) -> None:
        verdicts = [outcome.verdict for outcome in self.outcomes.values()]
        failures = self._policy.failed_before + sum(verdict.is_failure for verdict in verdicts)
        if Verdict.LOST in verdicts:
            self.stop("a host was lost")
        elif failures > self._policy.max_failures:
            self.stop(f"{failures} failed, and the run may bear {self._policy.max_failures}")

    def _advance(self, now: float) -> None:
        """Go on to the soak, the second look and the next batch, as far as it has come."""
        if self.wakes is not None and now >= self.wakes:
            self.wakes = None
            self._rechecks = True
            self._waiting |= dict.fromkeys(self._committed(), Stage.RECHECK)
        while self.wakes is None and not self.stopped and self._may_go_on():
            if self._policy.soak and not self._rechecks and self._committed():
                self.wakes = now + self._policy.soak
            else:
                self._batch, self._rechecks = self._batch + 1, False

    def _may_go_on(self) -> bool:
        """Whether every host of the batch is through, and there is another batch."""
        busy = {*self._waiting, *(task.host for task in self.running)}
        through = all(h in self.outcomes and h not in busy for h in self.batches[self._batch])
        return through and self._batch + 1 < len(self.batches)

    def _committed(self) -> list[str]:
        return [
            host
            for host in self.batches[self._batch]
            if self.outcomes[host].verdict is Verdict.COMMITTED
        ]
