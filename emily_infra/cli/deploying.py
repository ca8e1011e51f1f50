"""What apply and rollback share: the ways to a host, the question, and the last word."""

import getpass
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime

import typer

from emily_infra.apply.copy import Copy, Substitutes
from emily_infra.apply.engine import Ways, deploy
from emily_infra.apply.errors import NotAnswered
from emily_infra.apply.order import Order, Ticket, ticket
from emily_infra.apply.progress import Progress
from emily_infra.apply.schedule import Outcome, Verdict
from emily_infra.cli.output import printable, say, tell
from emily_infra.cli.telling import tell_outcome, telling
from emily_infra.errors import EmilyError
from emily_infra.machine import Target, connect, store
from emily_infra.plan import Access

_COLOURS = {
    Verdict.COMMITTED: "green", Verdict.UNCHANGED: "green", Verdict.NOT_BEGUN: "yellow",
    Verdict.FAILED: "yellow",
}  # fmt: skip


def ways(target: Target, access: Access, tell_it: Progress, substitutes: Substitutes) -> Ways:
    """The ways to a host; afterwards it must answer where the plan says."""
    afterwards = target
    if access.verify_address and not target.is_local:
        afterwards = replace(target, address=access.verify_address, port=access.verify_port)
    return Ways(
        connect=lambda: connect(target),
        verify=lambda: connect(afterwards),
        copy=Copy(store(target), substitutes),
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


def one(order: Order, target: Target, access: Access, *, json: bool) -> Outcome:
    """Deploy to one host, and follow it to its end."""
    with telling(as_json=json) as told:
        try:
            return deploy(order, ways(target, access, told, Substitutes.FROM_HERE), new_ticket())
        except EmilyError as error:
            text = f"{error} (hint: {error.hint})"
            return Outcome(Verdict.FAILED, text, code=getattr(error, "exit_code", 1))


def last_word(host: str, outcome: Outcome, *, json: bool) -> None:
    """What became of it: for a person on the last line, loud where it must be."""
    if json:
        tell_outcome(host, outcome.verdict.value, outcome.detail, outcome.exit_code)
        return
    if outcome.verdict is Verdict.LOST:
        say(typer.style(f"{host} NEEDS A PERSON NOW; look at its console", fg="red", bold=True))
    word = typer.style(outcome.verdict.value, fg=_COLOURS.get(outcome.verdict, "red"), bold=True)
    tell(f"{host}: {word}" + (f": {printable(outcome.detail)}" if outcome.detail else ""))
