"""`emily-infra runtime status`, `logs` and `flags`."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.output import printable, say, tell, tell_json
from emily_infra.cli.reach import Lab, Via, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emily_infra.machine import Machine
    from emily_infra.runtime.overview import Overview

_UNITS = ("emily-runtime@blue", "emily-runtime@green", "emily-runtime", "emily-runtime-deploy")


def status(host: Host, via: Via = "", lab: Lab = False, json: Json = False) -> None:
    """Show both colours, which of them takes, and how the last deploy ended.

    Exit code 1 where none takes.
    """
    from emily_infra.runtime.colours import Colours
    from emily_infra.runtime.overview import overview

    with _machine(host, Where(lab, via)) as machine:
        found = overview(Colours(machine))
    if json:
        tell_json({"host": host} | found.model_dump(mode="json"))
    else:
        _show(host, found)
    if not any(each.state and each.state.taking for each in found.colours):
        raise typer.Exit(1)


def logs(
    host: Host,
    lines: Annotated[int, typer.Option("--lines", min=1, help="How many of the newest.")] = 100,
    via: Via = "",
    lab: Lab = False,
    json: Json = False,
) -> None:
    """Show what both colours and the deploys said last, from the host's journal.

    With --json, each line is an object as journalctl gives it.
    """
    units = [f"--unit={unit}" for unit in _UNITS]
    form = "json" if json else "short-iso"
    argv = ("journalctl", "--no-pager", f"--output={form}", f"--lines={lines}", *units)
    with _machine(host, Where(lab, via)) as machine:
        said = machine.run(*argv)
    for line in said.splitlines():
        tell(line if json else printable(line))


def flags(host: Host, via: Via = "", lab: Lab = False, json: Json = False) -> None:
    """Show the feature flags of the runtime as the colour that takes has them."""
    from emily_infra.cli.look import cell, show, table
    from emily_infra.runtime.colours import Colours
    from emily_infra.runtime.overview import asked_for

    with _machine(host, Where(lab, via)) as machine:
        colours = Colours(machine)
        rows = asked_for(colours, colours.active(), "/api/v1/flags")
    if json or not isinstance(rows, list):
        tell_json(rows)
        return
    if not rows:
        say(f"{host} has no flags")
        return
    shown = table(*rows[0])
    for row in rows:
        shown.add_row(*(cell(value) for value in row.values()))
    show(shown)


def _machine(host: str, where: Where) -> "closing[Machine]":
    from emily_infra.cli.look import the_host
    from emily_infra.cli.reach import reach
    from emily_infra.machine import connect

    return closing(connect(reach(the_host(host)[1], where)))


def _show(host: str, found: "Overview") -> None:
    from emily_infra.cli.look import cell, show, table

    shown = table("colour", "", "version", "phase", "requests", "errors", "p95", "program")
    for each in found.colours:
        state = each.state
        shown.add_row(
            cell(each.colour),
            cell("takes" if state and state.taking else "", "green"),
            cell(state.version if state else ""),
            cell(state.phase if state else "does not run"),
            cell(state.requests if state else ""),
            cell(state.errors if state else "", "red" if state and state.errors else ""),
            cell(f"{state.p95_ms:.1f} ms" if state else ""),
            cell(_short(each.program)),
        )
    show(shown)
    for line in _lines(host, found):
        tell(printable(line))


def _lines(host: str, found: "Overview") -> "Iterator[str]":
    last = found.last
    if last:
        yield f"last deploy: {last.verdict.value}" + (f": {last.why}" if last.why else "")
    if found.at_work:
        yield f"a deploy is at work: {last.phase.value}" if last else "a deploy is at work"
    if found.waiting:
        yield f"another version lies ready: emily-infra runtime deploy {host}"


def _short(program: str) -> str:
    return program.removeprefix("/nix/store/")
