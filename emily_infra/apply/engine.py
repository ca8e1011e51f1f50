"""One deploy of one host, seen from here: the host itself makes sure of how it ends."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from emily_infra.apply.clock import Clock, Monotonic
from emily_infra.apply.errors import OutOfReach
from emily_infra.apply.health import Before, baseline
from emily_infra.apply.line import VERDICTS, Line, Report
from emily_infra.apply.order import Kind, Order, Ticket
from emily_infra.apply.progress import Began, Finished, Phase, Progress, Said, silent
from emily_infra.apply.schedule import Outcome, Verdict
from emily_infra.apply.steps import looking, still_needed, take
from emily_infra.apply.verify import verify
from emily_infra.errors import EmilyError
from emily_infra.machine import Machine, Unreachable

_SLOWEST = 5.0
_ALONE = 10.0
"""Seconds that an open deploy may be without anybody at work on it."""
_PHASES = {
    "armed": Phase.ARM, "activating": Phase.ACTIVATE, "awaiting-boot": Phase.REBOOT,
    "confirmed": Phase.COMMIT, "rolling-back": Phase.ROLL_BACK,
}  # fmt: skip


@dataclass(frozen=True)
class Ways:
    """The ways to a host, and whom to tell what happens."""

    connect: Callable[[], Machine]
    """A new connection."""
    verify: Callable[[], Machine]
    """A new connection to where the host must answer afterwards."""
    copy: Callable[[str, Callable[[str], None]], None]
    """Bring a store path to the host, and tell each line of progress."""
    tell: Progress = silent
    clock: Clock = field(default_factory=Monotonic)


def deploy(order: Order, ways: Ways, ticket: Ticket) -> Outcome:
    """Do it; NotBegun and its kin mean that the host is as it was."""
    deployment = Deployment(order, ways, ticket)
    try:
        with deployment:
            deployment.prepare()
            return deployment.activate()
    except KeyboardInterrupt:
        return deployment.interrupted()


class Deployment:
    """A deploy in two parts, so that many hosts can be copied to before the first is switched."""

    def __init__(self, order: Order, ways: Ways, ticket: Ticket) -> None:
        self.order = order
        self.ways = ways
        self.line = Line(ways.connect, ticket)
        self.before = Before()
        """What was wrong with the host already, once it has been looked at."""
        self._said_go = False
        self._leased = False
        self._over = threading.Event()
        self._phase: tuple[Phase, float] | None = None
        self._seconds_left: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Before the word to go the host is let off; after it, it decides by itself."""
        self._over.set()
        if self._leased and not self._said_go:
            with contextlib.suppress(EmilyError):
                self.line.secret("cancel", f"called off: {error or 'not needed'}"[:500])
        with contextlib.suppress(EmilyError):
            self.line.close()

    def prepare(self) -> None:
        """Take the lock, and bring the new system over while it is held."""
        try:
            self._enter(Phase.LOCK)
            self.line.lease(self.order)
            self._leased = True
            threading.Thread(target=self._keep, daemon=True).start()
            if not self.order.is_converging and self.order.generation is None:
                self._enter(Phase.COPY)
                self.ways.copy(self.order.new, self._say)
        except Unreachable as error:
            raise OutOfReach(str(error), hint=error.hint) from error
        self._leave()

    def activate(self) -> Outcome:
        """Switch, verify, confirm, and say what became of it."""
        try:
            self.before = self._look_before()
            self._take_steps()
        except Unreachable as error:
            raise OutOfReach(str(error), hint=error.hint) from error
        try:
            self._enter(Phase.ARM)
            self._said_go = True
            with contextlib.suppress(Unreachable):  # it may have been heard all the same
                if not self.line.secret("go"):
                    self._say("the host had decided already")
            self._over.set()
            return self._follow()
        finally:
            self._leave()

    def interrupted(self) -> Outcome:
        """What a Ctrl-C comes to: before the word to go nothing was switched."""
        if self._said_go:
            return Outcome(Verdict.LEFT, self._left_alone())
        steps = "; storage steps that were taken stay" if self.order.steps else ""
        return Outcome(Verdict.NOT_BEGUN, f"stopped by hand before the switch{steps}", code=130)

    # --- before the word to go

    def _keep(self) -> None:
        """Tell the host that somebody is still here, until the word to go."""
        while not self._over.wait(self.order.pace.lease / 4):
            with contextlib.suppress(EmilyError):
                self.line.ask("renew", deadline=self.order.pace.lease / 2)

    def _look_before(self) -> Before:
        self._enter(Phase.BASELINE)
        with self._aside() as machine:
            return baseline(machine, self.order.checks)

    def _take_steps(self) -> None:
        if not self.order.steps:
            return
        self._enter(Phase.STEPS)
        with self._aside() as machine:
            for due in still_needed(self.order, looking(machine)):
                self._say(due.step.title)
                take(due, machine)
                self.line.ask("note", stdin=due.step.title)

    def _aside(self) -> "contextlib.closing[Machine]":
        """A connection beside the line: its work may outlast the host's wait for a sign of life."""
        return contextlib.closing(self.ways.connect())

    # --- after it

    def _follow(self) -> Outcome:
        heard: list[dict[str, str]] = []
        for event in self._events():
            heard.append(event)
            word = event.get("event", "")
            if phase := _PHASES.get(word):
                self._enter(phase)
            if word == "booted" or (word == "activated" and event.get("status") in ("0", "4")):
                self._judge()
            elif word == "warning":
                self._say(event.get("text", ""))
            elif word in VERDICTS:
                return outcome(word, event.get("why", ""), self.order)
        return Outcome(Verdict.LOST, f"no word from {self.order.host}: {self._left_alone()}")

    def _judge(self) -> None:
        """Confirm if all is well; else call it off, over whichever connection still works."""
        self._enter(Phase.VERIFY)
        trouble = verify(self.order, self.ways, self.line.ticket, self.before)
        if trouble:
            for line in trouble.splitlines():
                self._say(line)
            with contextlib.suppress(EmilyError):  # then the host's own deadline does it
                self.line.secret("cancel", trouble)

    def _events(self) -> Iterator[dict[str, str]]:
        """The record of the host as it grows, until the time by which it must have ended."""
        clock, seen, cursor, wait = self.ways.clock, 0, "", self.order.pace.poll
        end = clock.now() + self.order.pace.total
        cared_for = clock.now()
        while clock.now() < end:
            asked = clock.now()
            try:
                report = self.line.poll(seen, cursor)
            except EmilyError:  # out of reach, or too broken to answer
                wait = min(wait * 2, _SLOWEST)
            else:
                # A machine that is slow to answer is at work: questions are not to be half of it.
                wait = max(self.order.pace.poll, 2 * (clock.now() - asked))
                seen, cursor = report.seen, report.cursor
                self._hear(report)
                yield from report.events
                if report.supervised or report.events:
                    cared_for = clock.now()
                elif clock.now() - cared_for > _ALONE:
                    with contextlib.suppress(EmilyError):
                        self.line.ask("settle")
                    cared_for = clock.now()
            clock.sleep(wait)

    def _hear(self, report: Report) -> None:
        self._seconds_left = report.seconds_left
        for text in report.journal:
            self._say(text)

    def _left_alone(self) -> str:
        name = self.order.host
        seconds = self._seconds_left if self._seconds_left is not None else self.order.pace.total
        moment = datetime.now().astimezone() + timedelta(seconds=max(seconds, 0))
        return (
            f"{name} decides by itself, by {moment:%H:%M} at the latest, and goes back unless it "
            f"was confirmed; the verdict: emily-infra history {name}"
        )

    # --- telling

    def _enter(self, phase: Phase) -> None:
        if self._phase and self._phase[0] is phase:
            return
        self._leave()
        self._phase = phase, self.ways.clock.now()
        self.ways.tell(Began(self.order.host, phase))

    def _leave(self) -> None:
        if self._phase:
            phase, begun = self._phase
            self._phase = None
            self.ways.tell(Finished(self.order.host, phase, self.ways.clock.now() - begun))

    def _say(self, text: str) -> None:
        self.ways.tell(Said(self.order.host, text))


def outcome(word: str, why: str, order: Order) -> Outcome:
    """The host's verdict as ours."""
    if word == "committed":
        return Outcome(Verdict.COMMITTED, why, pending=order.pending)
    if word == "rolled-back":
        return Outcome(Verdict.ROLLED_BACK, why)
    if word == "lost":
        return Outcome(Verdict.LOST, why)
    if why.startswith("stale: "):
        return Outcome(Verdict.FAILED, f"the plan is {why}", code=6)
    if why.startswith("another switch"):
        return Outcome(Verdict.FAILED, why, code=7)
    if why.startswith("needs-reboot: ") and order.kind is not Kind.REBOOT:
        back = f"rollback {order.host} {order.generation}"
        again = back if order.kind is Kind.ROLLBACK else f"apply {order.host}"
        text = f"{why.removeprefix('needs-reboot: ')}; emily-infra {again} --reboot"
        return Outcome(Verdict.FAILED, text, code=1)
    return Outcome(Verdict.FAILED, why, code=1)
