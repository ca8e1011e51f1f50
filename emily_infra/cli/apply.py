"""`emily-infra apply`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Json, complete_host
from emily_infra.cli.output import say, tell
from emily_infra.cli.reach import Lab, Via, road

if TYPE_CHECKING:
    from emily_infra.apply.copy import Substitutes
    from emily_infra.apply.decide import Leave
    from emily_infra.cli.campaign import Campaign

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Folders of hosts/.", metavar="HOST", autocompletion=complete_host),
]


@dataclass(frozen=True)
class How:
    """By what way hosts are reached, and how they are told of."""

    substitutes: "Substitutes"
    via: str
    lab: bool
    json: bool


def apply(
    hosts: Names = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="A plan that was made with plan --out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Every host of hosts/.")] = False,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Hosts with this tag; may be repeated.")
    ] = None,
    reboot: Annotated[bool, typer.Option("--reboot", help="Get there by a reboot.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Try a system that went back on this host before.")
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help="A danger of the plan by its name, or the word of a step."),
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Hosts that are switched at once.")] = 10,
    canary: Annotated[str | None, typer.Option(help="Hosts that go first: 1, or 10%.")] = None,
    batch: Annotated[str | None, typer.Option(help="Hosts to a batch: 5, or 25%.")] = None,
    soak: Annotated[str, typer.Option(help="How long a batch is watched.")] = "0s",
    max_failures: Annotated[int, typer.Option(min=0, help="Hosts that may fail.")] = 0,
    from_caches: Annotated[
        bool, typer.Option("--from-caches", help="Hosts fetch what their binary caches have.")
    ] = False,
    via: Via = "",
    lab: Lab = False,
    json: Json = False,
) -> None:
    """Make hosts what their host.yaml says; each one puts itself back if that fails.

    A host is switched first and made to boot the new system only after a new connection has proven
    it well. Exit codes: 0 done or nothing to do, 1 an error and nothing changed, 3 rolled back and
    well, 4 a host needs a person, 5 some hosts of many, 6 the plan is stale, 7 somebody else is at
    work, 8 out of reach before anything was changed.
    """
    from emily_infra.apply.copy import Substitutes
    from emily_infra.apply.decide import Leave

    leave = Leave(frozenset(accept or ()), reboot, again)
    substitutes = Substitutes.FROM_CACHES if from_caches else Substitutes.FROM_HERE
    how = How(substitutes, via, lab, json)
    names = _chosen(hosts or [], tag or [], every=every)
    if len(names) == 1:
        raise typer.Exit(_single(names[0], plan, leave, how, yes=yes))
    for option, value in (("--plan", plan), ("--via", via)):
        if value:
            raise typer.BadParameter(f"{option} is for one host", param_hint=option)
    campaign = _campaign(parallel, canary, batch, soak, max_failures)
    raise typer.Exit(campaign.run(names, leave, how, yes=yes))


def _chosen(names: list[str], tags: list[str], *, every: bool) -> list[str]:
    from emily_infra.apply.selection import select
    from emily_infra.spec.load import find_root, host_names, load

    root = find_root(Path.cwd())
    known = host_names(root)
    if every == bool(names or tags):
        raise typer.BadParameter("name hosts or tags, or say --all", param_hint="HOST")
    if every:
        return list(known)
    if not tags:
        return list(dict.fromkeys(names))
    return [host.name for host in select(load(root, list(known)).fleet, names, tags)]


def _campaign(
    parallel: int, canary: str | None, batch: str | None, soak: str, failures: int
) -> "Campaign":
    from emily_infra.apply.schedule import Limits, Policy
    from emily_infra.apply.selection import Portion
    from emily_infra.cli.campaign import Campaign
    from emily_infra.spec.units import Duration

    return Campaign(
        Policy(Limits(activate=parallel), failures, Duration.parse(soak).seconds),
        Portion.parse(canary) if canary else None,
        Portion.parse(batch) if batch else None,
    )


def _single(name: str, saved: Path | None, leave: "Leave", how: "How", *, yes: bool) -> int:
    from dataclasses import replace

    from emily_infra.apply.decide import pending
    from emily_infra.apply.health import Before
    from emily_infra.cli.deploying import approve, last_word, one, well, with_word
    from emily_infra.cli.plan import about_reboot
    from emily_infra.cli.planned import as_text
    from emily_infra.cli.preparing import prepare

    ready = prepare(name, saved, lab=how.lab, via=how.via)
    if not how.json:
        for line in as_text(ready.plan, detailed=False):
            say(line)
        for line in about_reboot(ready.plan, ready.host, leave, lab=how.lab):
            say(line)
    way = road(ready.host, lab=how.lab, via=how.via)
    if ready.is_idle(leave):
        outcome = well(ready.played, way.now, Before(frozenset(ready.seen.units.failed)))
        outcome = replace(outcome, pending=pending(ready.plan))
    else:
        leave = with_word(ready, leave)
        order = ready.order(leave)
        reboot = ", with a reboot" if ready.reboots(leave) else ""
        approve(f"apply this to {name}{reboot}?", yes=yes or saved is not None)
        outcome = one(order, way, how.substitutes, json=how.json)
    last_word(name, outcome, lab=how.lab, json=how.json)
    if outcome.verdict.value == "committed" and not how.json:
        tell(f"next: emily-infra status {name}{' --lab' if how.lab else ''}")
    return outcome.exit_code
