"""Looking at machines, many at the same time, and tables of what is seen."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emily_infra.cli.output import as_text, complain, printable, say, width
from emily_infra.cli.reach import Where, reach
from emily_infra.cli.stopping import at_once
from emily_infra.errors import EmilyError
from emily_infra.findings import Finding
from emily_infra.machine import connect
from emily_infra.observe import Observation, Question, observe
from emily_infra.spec.host import Host
from emily_infra.spec.load import find_root, load

_AT_ONCE = 32
_TO_SPIN_UP = 60
"""Seconds for disks that were asleep to be read."""

Asking = Callable[[Host], Question]
Seen = tuple[Host, Observation | EmilyError]


def described(names: list[str]) -> tuple[Path, list[Host], list[Finding]]:
    """The project, the named hosts or all of them, and one reason for each that cannot be read."""
    root = find_root(Path.cwd())
    loaded = load(root, names)
    for line in as_text(loaded.findings):
        say(line)
    reasons = {each.host: each for each in reversed(loaded.findings)}
    wrong = [reasons[name] for name in sorted(reasons.keys() - loaded.fleet.keys())]
    for each in wrong:
        complain(f"{each.host} cannot be read", "mend the errors above first")
    return root, list(loaded.fleet.values()), wrong


def the_host(name: str) -> tuple[Path, Host]:
    """The one named host; the command ends where its host.yaml cannot be read."""
    root, hosts, _ = described([name])
    if not hosts:
        raise typer.Exit(1)
    return root, hosts[0]


def look(host: Host, question: Question, where: Where) -> Observation:
    """One connection, one command."""
    with closing(connect(reach(host, where))) as machine:
        return observe(machine, question)


def look_to_plan(host: Host, question: Question, where: Where) -> Observation:
    """The same; and a second command, where the plan will write to disks that must be blank."""
    from emily_infra.plan.storage import to_read

    with closing(connect(reach(host, where))) as machine:
        seen = observe(machine, question)
        if disks := to_read(host.spec, seen):
            return observe(machine, replace(question, disks=disks, patience=_TO_SPIN_UP))
        return seen


def look_at_all(hosts: list[Host], asking: Asking, where: Where) -> list[Seen]:
    """Every host at the same time, in the order given; who cannot be reached holds up nobody."""

    def one(host: Host) -> Seen:
        try:
            return host, look(host, asking(host), where)
        except EmilyError as error:
            return host, error

    return at_once(one, hosts, _AT_ONCE)


def unanswered(seen: Observation, *sections: str) -> bool:
    """Whether the machine could not say all of these sections; it is told which, and why."""
    gaps = [gap for gap in seen.gaps if gap.section.startswith(sections)]
    for gap in gaps:
        mark = typer.style("not known", fg="yellow")
        say(f"{mark}: {seen.machine} cannot tell {gap.section}: {printable(gap.why)}")
    return bool(gaps)


def cell(text: object, style: str = "") -> Text:
    """Text from a machine, which can neither colour the screen nor move the cursor."""
    return Text(printable(str(text)), style)


def table(*columns: str) -> Table:
    """An empty table without lines."""
    empty = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        whole = column == "deploy"  # an ID that is broken over lines cannot be copied
        empty.add_column(column, header_style="dim", overflow="fold", no_wrap=whole)
    return empty


def show(shown: Table) -> None:
    """Print a table as wide as the terminal is."""
    Console(width=width(), highlight=False).print(shown)
