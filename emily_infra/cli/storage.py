"""`emily-infra storage`: pools that come to be."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.hands import approve_by_name, confirming, hands_on
from emily_infra.cli.output import (
    as_data,
    as_text,
    complain,
    mention,
    report,
    report_json,
    say,
    tell,
)
from emily_infra.cli.reach import Lab, Via, Where, pasteable, signposted
from emily_infra.cli.stopping import before_any_change, if_stopped

if TYPE_CHECKING:
    from emily_infra.disks.blank import Report
    from emily_infra.findings import Finding
    from emily_infra.spec import host as spec
    from emily_infra.storage.create import Creation, Survey
    from emily_infra.zfs.commands import Command

app = typer.Typer(
    name="storage",
    help="Create the pools that host.yaml describes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def storage() -> None:
    """Keep `create` a command of its own, though it is the only one."""


@app.command(short_help="Create a pool on blank disks.")
@signposted
def create(
    host: Host,
    pool: Annotated[str, typer.Argument(metavar="POOL", help="A pool of its host.yaml.")],
    confirm: Annotated[str, confirming("POOL")] = "",
    via: Via = "",
    lab: Lab = False,
    json: Json = False,
) -> None:
    """Create POOL with its datasets, on disks that are provably blank; it never empties one.

    Shows every disk and the exact command, and wants the pool's name typed. It may be run again
    after having been cut off anywhere. With --json and without --confirm it only looks. Exit codes:
    0 it is there as described, or could be created (--json), 1 a finding or an error, 7 somebody
    deploys, 8 out of reach, 130 stopped by hand.
    """
    from emily_infra.storage.create import Creation
    from emily_infra.storage.rehearsal import accepts_weaker

    where = Where(lab, via)
    described, findings = _sound(host, pool)
    with hands_on(described, where) as machine:
        creation = Creation(machine, described, pool, mention, accepts_weaker(findings, pool))
        with before_any_change():
            found = creation.look()
            commands = [] if found.is_done or found.findings else list(_commands(creation, found))
            if not json:
                _show(creation, found, commands, where)
            go_on = not found.findings and not found.is_done and (bool(confirm) or not json)
            if go_on:
                what = "create the datasets" if found.exists else "write on these disks"
                approve_by_name(f"{what} on {described.name}?", pool, confirm)
        if go_on:
            with if_stopped(f"{pool} may be there in part; what was begun on {host} goes on"):
                creation.make()
    if json:
        report_json(_survey(found, commands) | {"created": go_on})
    elif go_on:
        report(f"{pool} is there as described")
        report(where.said(f"next: emily-infra apply {host}"))
    if found.findings:
        raise typer.Exit(1)


def _sound(name: str, pool: str) -> "tuple[spec.Host, list[Finding]]":
    """The host and its findings, none of which stops it."""
    from emily_infra.cli.check import checked
    from emily_infra.disks.faults import NotCreated

    _, fleet, findings = checked([name])
    blocking = [finding for finding in findings if finding.blocks]
    if blocking or name not in fleet:
        for line in as_text(blocking):
            say(line)
        complain(f"nothing is created for {name}", "mend the errors above first")
        raise typer.Exit(1)
    pools = fleet[name].spec.storage.pools
    if pool not in pools:
        raise NotCreated(
            f"hosts/{name}/host.yaml has no pool {pool}",
            hint=f"its pools: {', '.join(pools) or 'none'}",
        )
    return fleet[name], findings


def _survey(found: "Survey", commands: "list[Command]") -> dict[str, object]:
    return {
        "pool": found.pool, "exists": found.exists, "done": found.is_done,
        "disks": [_data(report) for report in found.reports],
        "findings": as_data(found.findings), "commands": [list(each) for each in commands],
    }  # fmt: skip


def _show(creation: "Creation", found: "Survey", commands: "list[Command]", where: Where) -> None:
    """What was found, and what would be done."""
    if found.is_done:
        tell(f"{found.pool} is there as described; there is nothing to do")
        return
    _table(found)
    for line in as_text(found.findings):
        say(line)
    if found.findings:
        complain(f"{found.pool} is not created", "nothing was changed")
        return
    say(f"on {creation.host.name}:")
    for command in commands:
        say(f"  {pasteable(creation.host, command, where)}")
    if any(report.to_partition for report in found.reports):
        say("zpool judges its command once the partitions are there")
    if creation.weaker and not found.exists:
        say(
            "it gets -f if a vdev that survives less than another is all that zpool minds, "
            "because host.yaml acknowledges that"
        )


def _commands(creation: "Creation", found: "Survey") -> "list[Command]":
    """What would be run; zpool has read it, where its disks have their partitions already."""
    from emily_infra.disks.partitions import partitioning
    from emily_infra.zfs.commands import create_pool

    if found.exists:
        return list(found.datasets)
    body = creation.host.spec.storage.pools[found.pool]
    tables = [partitioning(each.place.disk) for each in found.reports if each.to_partition]
    if tables:
        return [*tables, create_pool(found.pool, body), *found.datasets]
    rehearsed = creation.rehearse()
    if rehearsed.warning:
        say(typer.style("ZFS warns: ", fg="yellow", bold=True) + rehearsed.warning)
    return [rehearsed.command, *found.datasets]


def _table(found: "Survey") -> None:
    from emily_infra.cli.look import cell, show, table
    from emily_infra.spec.units import approximately

    if not found.reports:
        return
    shown = table("bay", "disk", "model", "serial", "size", "device", "holds")
    for each in found.reports:
        disk, bay = each.found, each.place.body.bay
        holds = "; ".join(each.carries) or ("nothing" if not each.objections else "?")
        shown.add_row(
            cell("?" if bay is None else bay),
            cell(each.place.disk),
            cell(disk.model if disk else "", "dim"),
            cell(disk.serial if disk else "", "dim"),
            cell(approximately(disk.size) if disk else ""),
            cell(disk.name if disk else "missing"),
            cell(holds, "green" if holds == "nothing" else "red"),
        )
    show(shown)


def _data(report: "Report") -> dict[str, object]:
    disk = report.found
    return {
        "disk": report.place.disk,
        "bay": report.place.body.bay,
        "partitions": list(report.place.numbers),
        "device": disk.name if disk else None,
        "model": disk.model if disk else None,
        "serial": disk.serial if disk else None,
        "size": disk.size if disk else None,
        "holds": list(report.carries),
        "blank": not report.objections,
    }
