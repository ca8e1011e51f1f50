"""What apply and rollback share: the ways to a host, the question, and the last word."""

import getpass
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime

import typer

from emily_infra.apply.copy import Copy, Substitutes
from emily_infra.apply.decide import Leave
from emily_infra.apply.engine import Ways, deploy
from emily_infra.apply.errors import NotAnswered
from emily_infra.apply.fleet import failure
from emily_infra.apply.health import Before, assess, checks
from emily_infra.apply.order import Order, Ticket, ticket
from emily_infra.apply.progress import Progress
from emily_infra.apply.schedule import Outcome, Verdict
from emily_infra.apply.verify import same_key
from emily_infra.cli.output import printable, say, tell
from emily_infra.cli.preparing import Ready
from emily_infra.cli.reach import Road
from emily_infra.cli.telling import tell_outcome, telling
from emily_infra.errors import EmilyError
from emily_infra.machine import Target, connect, store
from emily_infra.spec.host import Host

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
    answer = typer.prompt(f"{question}\nonly yes is taken for an answer", default="", err=True,
                          show_default=False)  # fmt: skip
    if answer.strip() != "yes":
        raise typer.Abort


def with_word(ready: Ready, leave: Leave) -> Leave:
    """What the operator allows, and the words that are typed here for what cannot be undone.

    Without a terminal nothing is added, and what needs a word is refused.
    """
    steps = ready.plan.unspoken(leave.accepted)
    if not steps or not sys.stdin.isatty():
        return leave
    words = {step.word: step.word.partition(":")[2] for step in steps}
    spoken = replace(leave, accepted=leave.accepted | words.keys())
    ready.order(spoken)  # what stands against it otherwise comes before the question
    for word, pool in words.items():
        titles = "\n".join(f"  {printable(s.title)}" for s in steps if s.word == word)
        question = f"this cannot be undone:\n{titles}\nto have it done, type the pool's name"
        if typer.prompt(question, default="", err=True, show_default=False).strip() != pool:
            raise typer.Abort
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
    machine = connect(target)
    try:
        report = assess(machine, checks(host), before)
    finally:
        machine.close()
    if report.healthy:
        return Outcome(Verdict.UNCHANGED, "it runs what host.yaml describes, and is well")
    ill = "; ".join(str(each) for each in report.blamed)
    return Outcome(Verdict.FAILED, f"nothing to apply, but it is not well: {ill}")


def last_word(host: str, outcome: Outcome, *, lab: bool, json: bool) -> None:
    """What became of it: for a person on the last lines, loud where it must be."""
    if json:
        tell_outcome(host, outcome)
        return
    if outcome.verdict is Verdict.LOST:
        say(typer.style(f"{host} NEEDS A PERSON NOW; look at its console", fg="red", bold=True))
    word = typer.style(outcome.verdict.value, fg=_COLOURS.get(outcome.verdict, "red"), bold=True)
    first, *rest = outcome.detail.splitlines() or [""]
    tell(f"{host}: {word}" + (f": {printable(first)}" if first else ""))
    for line in rest:  # a command stands on a line of its own, so that it can be pasted
        tell(f"  {printable(line)}")
    if outcome.pending:
        tell(f"{host}: a reboot is pending: {printable(outcome.pending)}")
        tell(f"  when it suits: emily-infra apply {host} --reboot{' --lab' if lab else ''}")
