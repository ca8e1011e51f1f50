"""`emily-infra install`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host
from emily_infra.cli.hands import approve_by_name, confirming
from emily_infra.cli.output import as_text, complain, mention, report, say
from emily_infra.cli.reach import addressed, reached
from emily_infra.cli.stopping import before_any_change, if_stopped

if TYPE_CHECKING:
    from emily_infra.findings import Finding
    from emily_infra.install.survey import Ground
    from emily_infra.machine import Machine, Target
    from emily_infra.plan import Built
    from emily_infra.spec import host as spec


def install(
    host: Host,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            metavar="ADDRESS",
            show_default=False,
            help="Where the booted installer answers: ADDRESS or ADDRESS:PORT; root logs in.",
        ),
    ],
    confirm: Annotated[str, confirming("HOST")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show every disk and every command; change nothing.")
    ] = False,
    system: Annotated[
        Path | None,
        typer.Option("--system", metavar="PATH", help="This built system, instead of building it."),
    ] = None,
) -> None:
    """Install HOST on blank disks, from an installer that is booted on its machine.

    Partitions, pools, datasets, the system, the boot loader; then looks whether the next boot will
    find it all, and lets go of the disks. It empties no disk, brings no secret, and may be run
    again after having been cut off anywhere. Exit codes: 0 done (or shown), 1 a finding or an
    error, 7 somebody deploys, 8 out of reach, 130 stopped by hand.
    """
    from contextlib import closing

    from emily_infra.cli.plan import sound
    from emily_infra.install.layout import bootable
    from emily_infra.machine import connect

    with before_any_change():
        root, described = sound(host)
        bootable(described)
        way = addressed(described, target)
        with reached():
            machine = connect(way)
    with closing(machine):
        asked = _Asked(described, way, confirm, system, dry_run)
        _carry_out(asked, machine, root)


@dataclass(frozen=True)
class _Asked:
    """What the command line says."""

    host: "spec.Host"
    way: "Target"
    confirm: str
    system: Path | None
    dry_run: bool


def _carry_out(asked: _Asked, machine: "Machine", root: Path) -> None:
    from emily_infra.apply.copy import Copy
    from emily_infra.cli.installing import as_shell, show, show_end
    from emily_infra.install.deeds import deeds
    from emily_infra.install.engine import Installation
    from emily_infra.install.layout import ROOT
    from emily_infra.machine import below, store

    host = asked.host
    copy = Copy(below(store(asked.way), ROOT))
    work = Installation(machine, host, _findings(host.name), mention)
    with before_any_change():
        found = work.look()
        show(host, found)
        if found.findings:
            _refuse(host, found)
        built = _built(root, host, asked.system)
        _holds(host, found, built)
        top = built.toplevel
        as_shell(asked.way, deeds(host, found, copy.line(top), top, work.weaker))
        if asked.dry_run:
            report("nothing was changed")
            return
        approve_by_name(f"install {host.name} on these disks?", host.name, asked.confirm)
    with if_stopped(f"{host.name} is installed in part; run again, it goes on"):
        work.make(built, copy)
    show_end(host, asked.way)


def _refuse(host: "spec.Host", found: "Ground") -> None:
    for line in as_text(found.findings):
        say(line)
    complain(f"{host.name} is not installed", "nothing was changed")
    raise typer.Exit(1)


def _holds(host: "spec.Host", found: "Ground", built: "Built") -> None:
    """What of the built system stands against it."""
    from emily_infra.install.layout import all_mounted
    from emily_infra.install.survey import old_enough

    fstab = Path(built.toplevel) / "etc/fstab"
    all_mounted(host, fstab.read_text(errors="replace") if fstab.is_file() else "")
    old_enough(host, found, built.closure)


def _findings(name: str) -> "tuple[Finding, ...]":
    from emily_infra.cli.check import checked

    return tuple(checked([name])[2])


def _built(root: Path, host: "spec.Host", system: Path | None) -> "Built":
    """The host's system: built by the flake, or given and its own."""
    from emily_infra.apply.build import Flake, read
    from emily_infra.install.faults import WrongSystem
    from emily_infra.machine import Local

    if system is None:
        mention(f"building the system of {host.name}")
        return Flake(root).build(host)
    described = system / "etc/emily/source/host.yaml"
    if not described.is_file() or described.read_bytes() != (root / host.source.file).read_bytes():
        raise WrongSystem(
            f"{system} was not made from {host.source.file} as it stands",
            hint=f"leave --system out, or build it again: {host.name} in the flake",
        )
    return read(Local(), str(system.resolve()))
