"""`emily-infra apply`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Json, complete_host
from emily_infra.cli.reach import Lab, Via, Where

if TYPE_CHECKING:
    from emily_infra.apply.copy import Substitutes
    from emily_infra.cli.campaign import Campaign
    from emily_infra.spec.host import Fleet

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Folders of hosts/.", metavar="HOST", autocompletion=complete_host),
]
Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", help="A danger of the plan by its name, or the word of a step."),
]


@dataclass(frozen=True)
class How:
    """By what way hosts are reached, how they are told of, and whether anybody is asked."""

    substitutes: "Substitutes"
    where: Where
    json: bool
    yes: bool


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
    accept: Accept = None,
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
    well, 4 a host needs a person, 5 some hosts of many, or a host was left to its own guard, 6 the
    plan is stale, 7 somebody else is at work, 8 out of reach before anything was changed, 130
    stopped by hand before anything was changed.
    """
    from emily_infra.apply.copy import Substitutes
    from emily_infra.apply.decide import Leave
    from emily_infra.cli.single import single

    leave = Leave(frozenset(accept or ()), reboot, again)
    substitutes = Substitutes.FROM_CACHES if from_caches else Substitutes.FROM_HERE
    how = How(substitutes, Where(lab, via), json, yes)
    campaign = _campaign(parallel, canary, batch, soak, max_failures)
    names = _chosen(hosts or [], tag or [], every=every)
    if len(names) == 1:
        raise typer.Exit(single(names[0], plan, leave, how))
    _none_given({"--plan": plan, "--via": via})
    raise typer.Exit(campaign.run(names, leave, how))


def _none_given(for_one_host: dict[str, object]) -> None:
    for option, value in for_one_host.items():
        if value:
            raise typer.BadParameter(f"{option} is for one host", param_hint=option)


def _chosen(names: list[str], tags: list[str], *, every: bool) -> list[str]:
    from emily_infra.apply.selection import select
    from emily_infra.spec.load import find_root, host_names, load

    root = find_root(Path.cwd())
    if every == bool(names or tags):
        raise typer.BadParameter("name hosts or tags, or say --all", param_hint="HOST")
    if every:
        return host_names(root)
    if names:
        load(root, names)  # each is a host's, before anything is done to one
    if not tags:
        return list(dict.fromkeys(names))
    return [host.name for host in select(_everyone(), names, tags)]


def _everyone() -> "Fleet":
    """The whole fleet, and nothing less: a host that cannot be read may have the tag."""
    from emily_infra.cli.look import described
    from emily_infra.cli.output import complain

    _, hosts, unreadable = described([])
    if unreadable:
        names = ", ".join(finding.host for finding in unreadable)
        hint = "mend the errors above, or name the hosts instead of their tag"
        complain(f"the tags of {names} are not known, so nothing is applied", hint)
        raise typer.Exit(1)
    return {host.name: host for host in hosts}


def _campaign(
    parallel: int, canary: str | None, batch: str | None, soak: str, failures: int
) -> "Campaign":
    from emily_infra.apply.schedule import Limits, Policy
    from emily_infra.apply.selection import Portion
    from emily_infra.cli.campaign import Campaign
    from emily_infra.spec.units import Duration

    try:
        seconds = Duration.parse(soak).seconds
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--soak") from None
    return Campaign(
        Policy(Limits(activate=parallel), failures, seconds),
        Portion.parse(canary) if canary else None,
        Portion.parse(batch) if batch else None,
    )
