"""What commands share that put their hands on disks: the way there, and a name that is typed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from emily_infra.cli.asking import must_type
from emily_infra.cli.reach import Where, reach, reached
from emily_infra.cli.stopping import before_any_change

if TYPE_CHECKING:
    from emily_infra.machine import Machine
    from emily_infra.spec.host import Host

_UNITS = ((3600 * 24, "days"), (3600, "h"), (60, "min"), (1, "s"))


def confirming(what: str) -> object:
    """The option that answers in place of a person."""
    return typer.Option(
        "--confirm", metavar=what, show_default=False,
        help=f"Do not ask; {what} once more, so that a line from the history cannot do it.",
    )  # fmt: skip


@contextmanager
def hands_on(host: "Host", where: Where) -> "Iterator[Machine]":
    """One connection for all of a command; OutOfReach where none comes about."""
    from emily_infra.machine import connect

    with before_any_change(), reached():
        machine = connect(reach(host, where))
    try:
        yield machine
    finally:
        machine.close()


def approve_by_name(question: str, name: str, given: str) -> None:
    """The name typed, or given; anything else is a no."""
    from emily_infra.apply.errors import NotAnswered

    if given == name:
        return
    if given:
        raise typer.BadParameter(f"it says {given}, not {name}", param_hint="--confirm")
    if not sys.stdin.isatty():
        raise NotAnswered(
            f"there is no terminal to type {name} on",
            hint=f"when you have read the above: the same with --confirm {name}",
        )
    must_type(f"{question}\ntype {name} to go on", name)


def span(least: int, most: int) -> str:
    """A range of seconds in one unit: `3 to 5 h`."""
    size, unit = next((pair for pair in _UNITS if most >= 2 * pair[0]), _UNITS[-1])
    low, high = least // size, -(-most // size)
    return f"{low} to {high} {unit}" if low != high else f"{high} {unit}"
