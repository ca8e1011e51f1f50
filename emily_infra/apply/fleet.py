"""Apply to many hosts: canaries first, batch by batch, each stage with a limit of its own.

What is done to one host is a function for each stage. None means that the host goes on to the next
stage; to activate ends in an Outcome. An EmilyError means that nothing was changed: an act that has
begun to change a host returns an Outcome whatever happens. A host that runs the wanted system
already returns UNCHANGED, which is all there is to resuming a run that was cut short.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from types import FrameType

from emily_infra.apply.clock import Clock, Monotonic
from emily_infra.apply.errors import NotBegun, OutOfReach, Quarantined, Refused
from emily_infra.apply.schedule import Outcome, Policy, Schedule, Stage, Task, Verdict
from emily_infra.errors import EmilyError
from emily_infra.machine import Unreachable
from emily_infra.spec.host import Host

Act = Callable[[Host], Outcome | None]
Acts = Mapping[Stage, Act]
"""A stage that is missing is passed through."""

_GLANCE = 0.2
"""Seconds of waiting at a time: a signal that comes just before a wait does not end it."""


@dataclass(frozen=True)
class Began:
    """A host has entered a stage."""

    host: str
    stage: Stage


@dataclass(frozen=True)
class Ended:
    """A host has its outcome."""

    host: str
    outcome: Outcome


@dataclass(frozen=True)
class Soaking:
    """A batch is through and is given time to show what is wrong with it."""

    hosts: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Stopped:
    """No host begins any more; these are still under way and may finish."""

    why: str
    running: tuple[str, ...]


Event = Began | Ended | Soaking | Stopped


class _Interrupt:
    """Somebody has pressed Ctrl-C."""


@dataclass(frozen=True)
class _Done:
    task: Task
    result: Outcome | BaseException | None


@dataclass
class _Run:
    hosts: Mapping[str, Host]
    acts: Acts
    schedule: Schedule
    told: Callable[[Event], None]
    clock: Clock
    messages: SimpleQueue[_Done | _Interrupt] = field(default_factory=SimpleQueue)
    bug: BaseException | None = None
    interrupts: int = 0
    told_outcomes: dict[str, Outcome] = field(default_factory=dict)
    told_stop: tuple[str, int] = ("", 0)
    told_soak: float | None = None

    def to_the_end(self) -> None:
        while not self.schedule.over:
            for task in self.schedule.start(self.clock.now()):
                self.told(Began(*task))
                # A daemon: a second Ctrl-C must not wait for a host that hangs.
                threading.Thread(target=self._work, args=(task,), daemon=True).start()
            self._tell()
            if not self.schedule.over:
                self._wait()
        self._tell()

    def _work(self, task: Task) -> None:
        act = self.acts.get(task.stage)
        result: Outcome | BaseException | None
        try:
            result = act(self.hosts[task.host]) if act else None
        except BaseException as error:
            result = error
        self.messages.put(_Done(task, result))

    def _wait(self) -> None:
        wakes = self.schedule.wakes
        patience = _GLANCE if wakes is None else max(0.0, min(wakes - self.clock.now(), _GLANCE))
        try:
            message = self.messages.get(timeout=patience)
        except Empty:
            return
        if isinstance(message, _Done):
            self.schedule.finish(message.task, self._outcome(message), self.clock.now())
        elif self.interrupts == 0:
            self.interrupts = 1
            self.schedule.stop("interrupted by hand")
        else:
            self.schedule.abandon("interrupted twice by hand; its own guard decides")

    def _outcome(self, done: _Done) -> Outcome | None:
        result, stage = done.result, done.task.stage
        verdict = Verdict.UNHEALTHY if stage is Stage.RECHECK else Verdict.FAILED
        if isinstance(result, EmilyError):
            found = failure(result)
            return Outcome(verdict, found.detail) if stage is Stage.RECHECK else found
        if isinstance(result, BaseException):
            self.bug = self.bug or result
            self.schedule.stop("a bug in emily-infra")
            verdict = Verdict.LEFT if stage is Stage.ACTIVATE else verdict
            return Outcome(verdict, f"{type(result).__name__}: {result}")
        return result

    def _tell(self) -> None:
        """Say what is new: outcomes, a soak, a stop."""
        schedule = self.schedule
        for host, outcome in schedule.outcomes.items():
            if outcome != self.told_outcomes.get(host):
                self.told_outcomes[host] = outcome
                self.told(Ended(host, outcome))
        if schedule.wakes is not None and schedule.wakes != self.told_soak:
            self.told(Soaking(schedule.batches[schedule.batch], schedule.wakes - self.clock.now()))
        self.told_soak = schedule.wakes
        stop = (schedule.stopped, self.interrupts)
        if schedule.stopped and stop != self.told_stop:
            self.told_stop = stop
            running = sorted({task.host for task in schedule.running})
            self.told(Stopped(schedule.stopped, tuple(running)))


def failure(error: EmilyError) -> Outcome:
    """What an error comes to that was raised before anything was changed on a host."""
    text = f"{error}\nhint: {error.hint}"  # on a line of its own, so that it can be pasted
    if isinstance(error, OutOfReach | Unreachable):
        return Outcome(Verdict.UNREACHABLE, text)
    verdict = Verdict.REFUSED if isinstance(error, Refused | Quarantined) else Verdict.FAILED
    return Outcome(verdict, text, error.exit_code if isinstance(error, NotBegun) else 1)


def apply(
    batches: Sequence[Sequence[Host]],
    acts: Acts,
    policy: Policy,
    told: Callable[[Event], None] = lambda _: None,
    clock: Clock | None = None,
) -> dict[str, Outcome]:
    """One outcome for each host. Ctrl-C lets running hosts finish, a second one leaves them.

    Raises what an act raised, if that was a bug, after the hosts under way have finished.
    """
    hosts = {host.name: host for batch in batches for host in batch}
    schedule = Schedule([[host.name for host in batch] for batch in batches], policy)
    run = _Run(hosts, acts, schedule, told, clock or Monotonic())
    with _interrupts(run.messages):
        run.to_the_end()
    if run.bug:
        raise run.bug
    return {name: schedule.outcomes[name] for name in hosts}


@contextmanager
def _interrupts(messages: SimpleQueue[_Done | _Interrupt]) -> Iterator[None]:
    """Ctrl-C as a message: as an exception it could fall between a task and its thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(_: int, __: FrameType | None) -> None:
        messages.put(_Interrupt())

    old = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
