"""What an installation shows: the disks and what becomes of them, the commands, the end."""

from collections.abc import Iterable

import typer

from emily_infra.cli.look import cell, table
from emily_infra.cli.look import show as show_table
from emily_infra.cli.output import printable, report, say
from emily_infra.cli.storage import show_disks
from emily_infra.install.deeds import Deed
from emily_infra.install.layout import purposes, secrets
from emily_infra.install.survey import Ground, Standing
from emily_infra.machine import Target
from emily_infra.spec.host import Host
from emily_infra.spec.units import approximately


def show(host: Host, found: Ground) -> None:
    """Which disks are there, and what they become."""
    becomes = table("disk or partition", "size", "becomes")
    for each in purposes(host.spec):
        becomes.add_row(cell(each.name), cell(approximately(each.size)), cell(each.use))
    show_table(becomes)
    say("")
    show_disks(found.reports)
    for pool in found.pools:
        if pool.standing is not Standing.NEW:
            last = f", last used by {printable(pool.used_by)}" if pool.used_by else ""
            say(f"pool {pool.name} is {pool.standing.value}{last}; what is on it stays")


def as_shell(way: Target, work: Iterable[Deed]) -> None:
    """Every command in its order, and where it is run."""
    port = f" port {way.port}" if way.port else ""
    there = f"on {way.user}@{way.address}{port}"
    for each in work:
        report(typer.style(f"# {each.title}, {'here' if each.here else there}", dim=True))
        for line in each.lines:
            report(f"  {printable(line)}")
    report(typer.style("# before each step, and before letting go, it only looks", dim=True))


def show_end(host: Host, way: Target) -> None:
    """What is left to a person."""
    report(f"{host.name} is installed; the next boot will find it")
    report("next: take the medium out, and start it again:")
    port = ["-p", str(way.port)] if way.port else []
    report(f"  {' '.join(['ssh', *port, f'{way.user}@{way.address}', 'systemctl', 'reboot'])}")
    report("it makes itself a host key at its first start; compare and accept that, then:")
    report(f"  emily-infra status {host.name}")
    needed = secrets(host.spec)
    if needed:
        report("none of its secrets came along; until they are there, what needs them fails:")
        for name, file in needed.items():
            report(f"  {name}: {file}")
        report(
            "sops-nix or agenix decrypt with the new host key: encrypt for that one; or put the "
            "files there by hand (docs/guide/secrets.md)"
        )
