"""What apply and rollback share: the ways to a host, the question, and the last word."""

import contextlib
import getpass
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from emily_infra.apply.copy import Copy, Substitutes
from emily_infra.apply.decide import Leave, pending
from emily_infra.apply.engine import Ways, deploy
from emily_infra.apply.errors import NotAnswered
from emily_infra.apply.fleet import failure
from emily_infra.apply.health import Before, assess, checks
from emily_infra.apply.order import Order, Ticket, ticket
from emily_infra.apply.progress import Progress
from emily_infra.apply.schedule import Outcome, Verdict
from emily_infra.apply.verify import same_key
from emily_infra.cli.asking import must_type
from emily_infra.cli.output import mention, printable, report
from emily_infra.cli.preparing import Ready
from emily_infra.cli.reach import Road, Where
from emily_infra.cli.telling import tell_outcome, telling
from emily_infra.errors import EmilyError
from emily_infra.machine import Target, connect, store
from emily_infra.spec.host import Host

if TYPE_CHECKING:
    from emily_infra.cli.preparing import Ready

_COLOURS = {
    Verdict.COMMITTED: "green", Verdict.UNCHANGED: "green", Verdict.NOT_BEGUN: "yellow",
    Verdict.FAILED: "yellow", Verdict.REFUSED: "yellow", Verdict.UNREACHABLE: "yellow",
}  # fmt: skip


def ways(road: Road, tell_it: Progress, substitutes: Substitutes) -> Ways:
    """The ways to a host, refused where the way back in could not be trusted."""
    same_key(road.now, road.afterwards)
    return Ways(
        connect=lambda: connect(road.now),
        verify=lambda: connect(road.afterwards),
        copy=Copy(store(road.now), substitutes),
        tell=tell_it,
    )


def new_ticket() -> Ticket:
    """In the name of who sits here."""
    return ticket(getpass.getuser(), socket.gethostname(), datetime.now(UTC))


def approve(question: str, *, yes: bool) -> None:
    """A typed yes; nothing else counts, and without a terminal nobody is asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotAnswered(
            "there is no terminal to ask for a yes",
            hint="give a plan that somebody has read (--plan FILE), or --yes",
        )
    must_type(f"{question}\nonly yes is taken for an answer", "yes")


def at_best(ready: Ready, leave: Leave) -> Leave:
    """What the operator allows, with all that may yet be typed: without a terminal, nothing."""
    if not sys.stdin.isatty():
        return leave
    words = {step.word for step in ready.plan.unspoken(leave.accepted)}
    return replace(leave, accepted=leave.accepted | words)


def with_word(ready: Ready, leave: Leave) -> Leave:
    """What the operator allows, and the words that are typed here for what cannot be undone."""
    spoken = at_best(ready, leave)
    ready.order(spoken)  # what stands against it otherwise comes before the question
    steps = ready.plan.unspoken(leave.accepted)
    for word in sorted(spoken.accepted - leave.accepted):
        titles = "\n".join(f"  {printable(s.title)}" for s in steps if s.word == word)
        question = f"this cannot be undone:\n{titles}\nto have it done, type the pool's name"
        must_type(question, word.partition(":")[2])
    return spoken


def one(order: Order, road: Road, substitutes: Substitutes, *, json: bool) -> Outcome:
    """Deploy to one host, and follow it to its end."""
    with telling(as_json=json) as told:
        try:
            return deploy(order, ways(road, told, substitutes), new_ticket())
        except EmilyError as error:
            return failure(error)


def well(host: Host, target: Target, before: Before) -> Outcome:
    """How a host is that runs the wanted system already; what had failed before is not blamed."""
    try:
        with contextlib.closing(connect(target)) as machine:
            found = assess(machine, checks(host), before)
    except EmilyError as error:
        return failure(error)
    if found.healthy:
        return Outcome(Verdict.UNCHANGED, "it runs what host.yaml describes, and is well")
    ill = "; ".join(str(each) for each in found.blamed)
    return Outcome(Verdict.FAILED, f"nothing to apply, but it is not well: {ill}")


def unchanged(ready: "Ready", target: Target) -> Outcome:
    """The same for a host to which a plan has nothing to do."""
    before = Before(frozenset(ready.seen.units.failed))
    return replace(well(ready.played, target, before), pending=pending(ready.plan))


def last_word(host: str, outcome: Outcome, where: Where, *, json: bool, reboot: str = "") -> None:
    """What became of it: for a person on the last lines, loud where it must be.

    A Ctrl-C changes nothing any more; REBOOT is the command for what counts only after one.
    """
    there = where.afterwards if outcome.verdict is Verdict.COMMITTED else where
    outcome = replace(outcome, detail=there.said(outcome.detail))
    with contextlib.suppress(KeyboardInterrupt):
        if json:
            tell_outcome(host, outcome)
        else:
            _last_lines(host, outcome, there.said(reboot or f"emily-infra apply {host} --reboot"))


def _last_lines(host: str, outcome: Outcome, reboot: str) -> None:
    if outcome.verdict is Verdict.LOST:
        mention(typer.style(f"{host} NEEDS A PERSON NOW; look at its console", fg="red", bold=True))
    word = typer.style(outcome.verdict.value, fg=_COLOURS.get(outcome.verdict, "red"), bold=True)
    first, *rest = outcome.detail.splitlines() or [""]
    report(f"{host}: {word}" + (f": {printable(first)}" if first else ""))
    for line in rest:  # a command stands on a line of its own, so that it can be pasted
        report(f"  {printable(line)}")
    if outcome.pending:
        report(f"{host}: a reboot is pending: {printable(outcome.pending)}")
        report(f"  when it suits: {reboot}")
