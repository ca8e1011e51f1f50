"""`emily-infra history`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.moments import ago, iso, span
from emily_infra.cli.output import printable, say, tell, tell_json
from emily_infra.cli.reach import Lab, Via, Where
from emily_infra.errors import EmilyError

if TYPE_CHECKING:
    from emily_infra.observe import Observation
    from emily_infra.observe.deploys import Deploy

_STYLES = {"committed": "green", "rolled-back": "yellow", "abandoned": "yellow", "lost": "red"}


class NoSuchDeploy(EmilyError):
    """An ID that no record of the host has."""

    code = "OBS003"


def history(
    host: Host,
    deploy: Annotated[
        str | None, typer.Argument(help="Show one deploy, event by event.", metavar="ID")
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 20,
    via: Via = "",
    lab: Lab = False,
    json: Json = False,
) -> None:
    """Show what the host itself recorded of deploys: when, who, what, and how each ended.

    Exit code 1 where the host could not tell all of it.
    """
    from emily_infra.cli.look import look, the_host, unanswered
    from emily_infra.observe import Question

    keep = 100_000 if deploy else last
    seen = look(the_host(host)[1], Question(deploys=keep), Where(lab, via))
    cut = unanswered(seen, "state")
    if deploy and not (cut and not _beginning(seen, deploy)):
        one = _find(seen, deploy)
        tell_json(_data(seen, one)) if json else _story(seen, one)
    elif json:
        tell_json([_data(seen, each) for each in reversed(seen.deploys.records)])
    else:
        if seen.deploys.records:
            _table(seen)
        elif not cut:
            say(f"{host} has no record of a deploy")
        _of_disks(seen, last)
    if cut:
        raise typer.Exit(1)


def _beginning(seen: "Observation", wanted: str) -> "list[Deploy]":
    return [each for each in seen.deploys.records if each.id.startswith(wanted)]


def _find(seen: "Observation", wanted: str) -> "Deploy":
    found = _beginning(seen, wanted)
    if len(found) != 1:
        what = "no deploy" if not found else f"{len(found)} deploys"
        raise NoSuchDeploy(
            f"{what} of {seen.machine} begin with {wanted}",
            hint=f"list them: emily-infra history {seen.machine}",
        )
    return found[0]


def _verdict(seen: "Observation", each: "Deploy") -> str:
    if seen.deploys.lock and seen.deploys.lock.deploy == each.id:
        return "at work"
    return each.verdict or "interrupted"


def _change(seen: "Observation", each: "Deploy") -> str:
    has = seen.generation
    old = each.settings.get("OLD_GENERATION") or _hash(each.old)
    new = has.of(each.new)
    return f"{old or '?'} -> {new[-1] if new else _hash(each.new) or '?'}"


def _hash(toplevel: str) -> str:
    return toplevel.removeprefix("/nix/store/")[:8]


def _table(seen: "Observation") -> None:
    from emily_infra.cli.look import cell, show, table

    shown = table("deploy", "when", "who", "change", "took", "verdict")
    for each in reversed(seen.deploys.records):
        verdict = _verdict(seen, each)
        why = f": {each.why}" if each.why and verdict != "committed" else ""
        shown.add_row(
            cell(each.id, "dim"),
            cell(ago(each.started, seen.identity.now)),
            cell(each.who),
            cell(_change(seen, each)),
            cell("" if each.seconds is None else span(each.seconds)),
            cell(f"{verdict}{why}", _STYLES.get(verdict, "red")),
        )
    show(shown)


def _of_disks(seen: "Observation", last: int) -> None:
    """What was done to disks and pools by hand of an operator."""
    from emily_infra.cli.look import cell, show, table
    from emily_infra.storage.record import told

    events = told(seen)[-last:]
    if not events:
        return
    shown = table("disks", "when", "")
    for event in reversed(events):
        details = ", ".join(f"{name} {value}" for name, value in event.details.items()
                            if name != "uptime")  # fmt: skip
        shown.add_row(cell(event.word), cell(ago(event.at, seen.identity.now)), cell(details))
    tell("")
    show(shown)


def _story(seen: "Observation", each: "Deploy") -> None:
    from emily_infra.cli.look import cell, show, table

    verdict = _verdict(seen, each)
    style = typer.style(verdict, fg=_STYLES.get(verdict, "red"))
    tell(f"{typer.style(printable(each.id), bold=True)}  {style}")
    where = f" from {each.from_where}" if each.from_where else ""
    when = iso(each.started) or "at an unknown time"
    tell(f"  {printable(f'{each.who}{where}, {when}')}")
    tell(f"  old  {printable(each.old)}")
    tell(f"  new  {printable(each.new)}\n")
    begin = each.events[0].at if each.events else 0
    shown = table("after", "event", "")
    for event in each.events:
        details = ", ".join(f"{name} {value}" for name, value in sorted(event.details.items()))
        after = f"{event.at - begin} s" if event.at else "?"
        shown.add_row(cell(after, "dim"), cell(event.word), cell(details))
    show(shown)


def _data(seen: "Observation", each: "Deploy") -> dict[str, object]:
    return {
        "id": each.id,
        "started": iso(each.started),
        "who": each.who,
        "from": each.from_where,
        "kind": each.kind,
        "old": each.old,
        "new": each.new,
        "seconds": each.seconds,
        "verdict": each.verdict or None,
        "state": _verdict(seen, each),
        "why": each.why,
        "settings": dict(each.settings),
        "events": [
            {"at": iso(event.at), "event": event.word, **event.details} for event in each.events
        ],
    }
