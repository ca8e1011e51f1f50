"""`emily-infra backup status`."""

from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.opening import here
from emily_infra.cli.moments import ago, span
from emily_infra.cli.output import printable, tell, tell_json, width

if TYPE_CHECKING:
    from rich.text import Text

    from emily_infra.backup.coverage import Broken, Cover, Due, Seen
    from emily_infra.backup.settings import Settings

_LATE = 3


def status(context: typer.Context, json: Json = False) -> None:
    """Show what protects each dataset, how old that is, and which promises are not kept.

    It asks nobody outside: it reads the pools and what earlier runs wrote down. Exit codes: 0 every
    promise is kept, 3 some are not, 1 an error.
    """
    from emily_infra.backup.coverage import broken, covers
    from emily_infra.backup.status import look

    host = here(context)
    now, seen = host.now(), look(host)
    rows, late = covers(host.settings, seen), broken(host.settings, seen, now)
    if json:
        from emily_infra.cli.backup.standing_data import as_data

        tell_json(as_data(host.settings, seen, now))
    else:
        _print(host.settings, seen, rows, late, now)
    raise typer.Exit(_LATE if late else 0)


def _print(
    settings: "Settings", seen: "Seen", rows: "list[Cover]", late: "list[Broken]", now: datetime
) -> None:
    tell(_headline(settings.host, late))
    for each in late:
        first, *rest = wrap(printable(said(each, now)), width() - 4, break_on_hyphens=False)
        tell(f"  {typer.style('!', fg='red', bold=True)} {first}")
        for line in rest:
            tell(f"    {line}")
        tell(typer.style(f"    $ {printable(' '.join(each.look))}", dim=True))
    tell("")
    _datasets(rows, now)
    _places(settings, seen, now)
    _held(rows)
    for run in seen.running:
        tell(f"at work: {printable(run.verb)} on {run.thing}, process {run.pid}, since {run.since}")


def _headline(host: str, late: "list[Broken]") -> str:
    words = "1 promise is not kept" if len(late) == 1 else f"{len(late)} promises are not kept"
    verdict = typer.style(words, fg="red") if late else typer.style("kept", fg="green")
    return f"{typer.style(host, bold=True)}  {verdict if late else 'every promise is ' + verdict}"


def said(each: "Broken", now: datetime) -> str:
    """A broken promise in one line."""
    words = [each.what]
    if each.due:
        words.append(f"{_age(each.due.at, now)}, promised within {span(each.due.limit)}")
    if each.why:
        words.append(each.why)
    return ": ".join(words)


def _age(moment: datetime | None, now: datetime) -> str:
    return ago(int(moment.timestamp()), int(now.timestamp())) if moment else "never"


def _datasets(rows: "list[Cover]", now: datetime) -> None:
    from emily_infra.cli.look import cell, show, table

    shown = table("dataset", "policy", "snapshot", "copies", "recovery point", "recovery time")
    for row in rows:
        newest = _due(row.snapshot, now)
        snapshot = "not seen" if row.taken.unseen and newest == "never" else newest
        shown.add_row(
            cell(row.dataset),
            cell(row.policy or "none"),
            cell(snapshot, _colour(row.snapshot, now)),
            _copies(row, now),
            cell(_point(row.point, now), _colour(row.point, now)),
            cell(_time(row)),
        )
    show(shown)


def _due(due: "Due | None", now: datetime) -> str:
    return _age(due.at, now) if due else "-"


def _colour(due: "Due | None", now: datetime) -> str:
    return "red" if due and not due.is_kept(now) else ""


def _copies(row: "Cover", now: datetime) -> "Text":
    from rich.text import Text

    from emily_infra.cli.look import cell

    if not row.copies:
        return cell(f"none: {row.exempt}" if row.exempt else "none, and no reason given", "yellow")
    cells = [
        cell(f"{name} {_due(due, now)}", _colour(due, now)) for name, due in row.copies.items()
    ]
    return Text(", ").join(cells)


def _point(due: "Due | None", now: datetime) -> str:
    return f"{_due(due, now)} of {span(due.limit)}" if due else "-"


def _time(row: "Cover") -> str:
    if not row.copies:
        return "-"
    return span(int(row.seconds)) if row.seconds is not None else "not measured yet"


def _places(settings: "Settings", seen: "Seen", now: datetime) -> None:
    from emily_infra.backup.coverage import Kind, Place
    from emily_infra.cli.look import cell, show, table

    shown = table("place", "newest copy", "read longest ago", "drill", "restores")
    names = [(Kind.REPOSITORY, name) for name in sorted(settings.repositories)]
    names += [(Kind.REPLICA, name) for name in sorted(settings.replicas)]
    for kind, name in names:
        place = seen.places.get((kind, name), Place())
        drill = place.drilled
        verdict = f"{drill.verdict}, {_age(drill.at, now)}" if drill else "never"
        rate = drill.seconds_per_gb if drill else None
        shown.add_row(
            cell(f"{kind} {name}"),
            cell(_age(max(place.copies.values(), default=None), now)),
            cell(_age(place.unverified, now) if kind is Kind.REPOSITORY else "-"),
            cell(verdict, "" if drill and drill.passed else "red"),
            cell(f"{rate:.1f} s/GB" if rate is not None else "not measured yet"),
        )
    if names:
        tell("")
        show(shown)


def _held(rows: "list[Cover]") -> None:
    from emily_infra.cli.look import cell, show, table

    shown = table("held", "by")
    for row in rows:
        for line in row.taken.held:
            name, _, by = line.partition(": ")
            shown.add_row(cell(name), cell(by))
    if shown.row_count:
        tell("")
        show(shown)
