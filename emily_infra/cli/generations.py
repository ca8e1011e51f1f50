"""`emily-infra generations`."""

from typing import TYPE_CHECKING

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.moments import ago, iso
from emily_infra.cli.output import say, tell_json, width
from emily_infra.cli.reach import Lab, Via, Where

if TYPE_CHECKING:
    from emily_infra.observe import Observation
    from emily_infra.observe.generations import Generation

_ALL = 10_000
_ASKED = ("links", "systems", "basics", "boot_loader", "state")
"""The sections of the probe that a row is made from."""
_WIDE = 130
"""Columns from which whole store paths fit."""


def generations(host: Host, via: Via = "", lab: Lab = False, json: Json = False) -> None:
    """List the generations of HOST: when each was made, by which deploy, and which one runs.

    Exit code 1 where the host could not tell all of it.
    """
    from emily_infra.cli.look import look, the_host, unanswered
    from emily_infra.observe import Question

    seen = look(the_host(host)[1], Question(deploys=_ALL), Where(lab, via))
    cut = unanswered(seen, *_ASKED)
    rows = [_row(seen, each) for each in reversed(seen.generation.generations)]
    if json:
        tell_json(rows)
    elif rows:
        _show(seen, rows)
    elif not cut:
        say(f"{host} has no system profile yet: it has never been deployed to")
    if cut:
        raise typer.Exit(1)


def _show(seen: "Observation", rows: "list[dict[str, object]]") -> None:
    from emily_infra.cli.look import cell, show, table

    columns = ["", "made", "system", "kernel", "deploy", ""]
    shown = table(*columns, *(["toplevel"] if width() >= _WIDE else []))
    for row in rows:
        marks = ", ".join(mark for mark in ("running", "booted", "default") if row[mark])
        cells = [
            cell(row["number"], "bold" if marks else ""),
            cell(ago(int(str(row["created_seconds"])), seen.identity.now)),
            cell(row["version"]),
            cell(row["kernel_version"]),
            cell(row["deploy"] or "by others", "" if row["deploy"] else "dim"),
            cell(marks, "green"),
        ]
        if width() >= _WIDE:
            cells.append(cell(str(row["toplevel"]).removeprefix("/nix/store/"), "dim"))
        shown.add_row(*cells)
    show(shown)


def _row(seen: "Observation", each: "Generation") -> dict[str, object]:
    has = seen.generation
    made_by = [deploy.id for deploy in seen.deploys.records if deploy.new == each.toplevel]
    return {
        "number": each.number,
        "created": iso(each.created),
        "created_seconds": each.created,
        "toplevel": each.toplevel,
        "version": each.version,
        "kernel": each.kernel,
        "kernel_version": kernel_version(each.kernel),
        "deploy": made_by[0] if made_by else None,
        "running": each.toplevel == has.current,
        "booted": each.toplevel == has.booted,
        "default": each.number == has.number,
        "next_boot": each.toplevel == has.boot_default,
    }


def kernel_version(path: str) -> str:
    """`6.12.41` of /nix/store/HASH-linux-6.12.41/bzImage."""
    import re

    found = re.search(r"-linux-([0-9][^/]*)", path)
    return found[1] if found else ""
