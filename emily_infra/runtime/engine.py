"""One deploy of the runtime on a host: beside the old version, then instead of it, or not at all.

Every step is written down before it is taken, and can be taken again; whoever finds an open record
goes on from there.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from emily_infra.apply.clock import Clock
from emily_infra.errors import EmilyError
from emily_infra.machine import CommandFailed, Expired
from emily_infra.runtime import files, smoke
from emily_infra.runtime.colours import Colours
from emily_infra.runtime.faults import NoAnswer, NothingToGoBackTo
from emily_infra.runtime.order import Kind, Order
from emily_infra.runtime.places import Colour
from emily_infra.runtime.record import Event, Phase, Record, Verdict
from emily_infra.runtime.standing import READY, Limits, State, figures, since, worse

LIMITS = Limits()
ASKED = "asked for"
_UNHEARD = 3
"""Looks in a row at which a colour may not answer: it may just have been started again."""
_BROKEN = (CommandFailed, Expired, NoAnswer)


@dataclass
class Switch:
    """Carries out one order."""

    colours: Colours
    clock: Clock
    limits: Limits = LIMITS
    look: float = 1.0
    """Seconds between two looks at the new version."""
    tell: Callable[[str], None] = field(default=lambda _: None)

    def carry_out(self, order: Order) -> Record:
        """End what was left open, then do what is asked for; how that ended."""
        left = files.read(self.colours.machine, self.colours.places.record, Record)
        if left and left.verdict is Verdict.OPEN:
            ended = self._go_on(left, order)
            if order.kind is Kind.ROLLBACK:
                return ended
        return self._deploy(order) if order.kind is Kind.DEPLOY else self._rollback(order)

    # --- from the beginning

    def _deploy(self, order: Order) -> Record:
        old = self.colours.active()
        wanted = self.colours.wanted()
        record = self._begun(order, old)
        taking = self.colours.state(old)
        if taking and taking.taking and not order.again and self.colours.version(old) == wanted:
            return self._end(record, Verdict.UNCHANGED, f"{old} runs this version already")
        record = self._write(record, f"starts {wanted.program} as {record.new}")
        try:
            self.colours.stop(record.new)
            self.colours.unpin(record.new)
            self._start(record.new)
        except _BROKEN as error:
            return self._not_moved(record, self._why_not_up(record.new, error))
        record = self._write(record.with_(phase=Phase.CHECKING), "it is ready; checks it")
        if wrong := list(smoke.complaints(self.colours, record.new)):
            return self._not_moved(record, "; ".join(wrong))
        return self._move(record)

    def _rollback(self, order: Order) -> Record:
        old = self.colours.active()
        if self.colours.version(old.other) is None:
            raise NothingToGoBackTo(
                f"{self.colours.machine.name}: only {old} has ever run, so there is no version to "
                "go back to",
                hint=f"emily-infra runtime status {self.colours.machine.name}",
            )
        return self._go_back(self._begun(order, old.other), ASKED)

    # --- the steps that callers notice

    def _move(self, record: Record) -> Record:
        before = figures(self.colours.state(record.old))
        record = record.with_(phase=Phase.MOVING, before=before)
        record = self._write(record, f"moves the callers from {record.old} to {record.new}")
        try:
            self.colours.move(record.new)
        except NoAnswer as error:
            return self._go_back(record, str(error))
        return self._watch(self._moved(record))

    def _moved(self, record: Record) -> Record:
        now = self.clock.now()
        state = self.colours.state(record.new)
        changes = {"phase": Phase.WATCHING, "until": now + record.window, "moved": state}
        return self._write(
            record.with_(**changes),
            f"{record.new} takes; watches it for {record.window:.0f} s and keeps {record.old}",
        )

    def _watch(self, record: Record) -> Record:
        unheard = 0
        while True:
            state = self.colours.state(record.new)
            unheard = 0 if state and state.taking else unheard + 1
            if unheard >= _UNHEARD:
                return self._go_back(record, self._not_taking(record.new, state))
            if state and (why := self._worse(record, state)):
                return self._go_back(record, why)
            if self.clock.now() >= (record.until or 0) and not unheard:
                return self._keep(record)
            self.clock.sleep(self.look)

    def _worse(self, record: Record, state: State) -> str:
        counted = since(record.moved, state) if record.moved else state
        return worse(record.before, counted, self.limits)

    def _keep(self, record: Record) -> Record:
        self.colours.stop(record.old)
        return self._end(record, Verdict.KEPT, f"{record.new} is no worse than {record.old} was")

    def _go_back(self, record: Record, why: str) -> Record:
        """To the old version, which runs; or is started once more, as it was."""
        record = record.with_(phase=Phase.GOING_BACK, why=why)
        record = self._write(record, f"goes back to {record.old}: {why}")
        try:
            if not self._is_ready(record.old):
                self._start(record.old)
            self.colours.move(record.old)
        except _BROKEN as error:
            if self._is_ready(record.new):
                self.colours.move(record.new)
                return self._end(record, Verdict.FAILED, f"{why}; {record.old} is no way back: "
                                 f"{error}; {record.new} takes")  # fmt: skip
            return self._end(record, Verdict.LOST, f"{why}; {record.old}: {error}")
        self._drop(record.new)
        return self._end(record, Verdict.WENT_BACK, why)

    def _not_moved(self, record: Record, why: str) -> Record:
        """Nobody has come to the new version: it goes, and the old one never noticed."""
        with contextlib.suppress(*_BROKEN):
            self._drop(record.new)
        return self._end(record, Verdict.FAILED, why)

    # --- what another one has left

    def _go_on(self, left: Record, order: Order) -> Record:
        """The end of a deploy that was cut off."""
        self.tell(f"goes on with a deploy that was cut off while {left.phase.value}")
        if left.phase is Phase.GOING_BACK:
            return self._go_back(left, left.why)
        if not left.has_moved:
            return self._not_moved(left, f"cut off while {left.phase.value}")
        if order.kind is Kind.ROLLBACK:
            return self._go_back(left.with_(order=order.id), ASKED)
        if not self._is_ready(left.new):
            return self._go_back(left, self._not_taking(left.new, self.colours.state(left.new)))
        self.colours.move(left.new)
        if left.phase is Phase.MOVING:
            left = self._moved(left)
        return self._watch(left)

    # --- small things

    def _begun(self, order: Order, old: Colour) -> Record:
        now = self.clock.now()
        return Record(order=order.id, old=old, new=old.other, begun=now, window=order.window)

    def _drop(self, colour: Colour) -> None:
        """Stop a version that is no good, so that nobody can go back to it either."""
        self.colours.stop(colour)
        self.colours.unpin(colour)

    def _start(self, colour: Colour) -> None:
        """Up and ready, or CommandFailed or NoAnswer."""
        self.colours.start(colour)
        if not self._is_ready(colour):
            state = self.colours.state(colour)
            self.colours.ask(colour, "GET", "/ready")
            raise NoAnswer(
                f"the {colour} runtime says that it is {state.phase if state else 'nothing'}",
                hint=f"emily-infra runtime logs {self.colours.machine.name}",
            )

    def _is_ready(self, colour: Colour) -> bool:
        state = self.colours.state(colour)
        return state is not None and state.phase == READY

    def _not_taking(self, colour: Colour, state: State | None) -> str:
        return f"{colour} takes nobody" if state else f"{colour} does not answer"

    def _why_not_up(self, colour: Colour, error: EmilyError) -> str:
        words = self.colours.last_words(colour)
        return f"{colour} does not come up: {words or error}"

    def _write(self, record: Record, text: str) -> Record:
        self.tell(text)
        event = Event(at=self.clock.now(), text=text)
        record = record.with_(events=(*record.events, event))
        files.write(self.colours.machine, self.colours.places.record, record)
        return record

    def _end(self, record: Record, verdict: Verdict, why: str) -> Record:
        return self._write(
            record.with_(phase=Phase.DONE, verdict=verdict, why=why), f"{verdict.value}: {why}"
        )
