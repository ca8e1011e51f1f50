"""`zpool create -n`: what ZFS makes of a command, held against what is meant, before it is run."""

from collections.abc import Iterable
from dataclasses import dataclass

from emily_infra.disks.faults import OtherwiseMeant
from emily_infra.findings import Finding
from emily_infra.machine import CommandFailed, Machine
from emily_infra.spec.storage import Pool
from emily_infra.zfs.commands import MISMATCH, Command, create_pool, overridable
from emily_infra.zfs.rehearsed import layout
from emily_infra.zfs.shapes import declared_shapes

_WEAKER = ("STO004", "STO009")
"""The findings that say of host.yaml what zpool says with MISMATCH."""


@dataclass(frozen=True)
class Rehearsal:
    """The command that creates the pool, as ZFS has read it."""

    command: Command
    warning: str = ""
    """What ZFS would not do without force, and host.yaml acknowledges."""


def accepts_weaker(findings: Iterable[Finding], pool: str) -> bool:
    """Whether a person has acknowledged that a vdev of the pool survives less than another."""
    return any(
        finding.acknowledged is not None
        and finding.code in _WEAKER
        and finding.place[:3] == ("storage", "pools", pool)
        for finding in findings
    )


def rehearse(
    machine: Machine, name: str, body: Pool, *always: str, weaker: bool = False
) -> Rehearsal:
    """Let ZFS read the command without doing it, and hold what it understood against what is meant.

    ALWAYS are flags; force is one only where the one thing that it minds is acknowledged in
    host.yaml.
    """
    flags = always
    warning = ""
    try:
        said = machine.run(*create_pool(name, body, *flags, "-n"), deadline=60)
    except CommandFailed as error:
        reasons = _minded(name, error)
        if not weaker or not all(each.startswith(MISMATCH) for each in reasons):
            raise _refused(name, reasons) from error
        flags, warning = (*always, "-f"), "; ".join(reasons)
        said = machine.run(*create_pool(name, body, *flags, "-n"), deadline=60)
    meant, understood = set(declared_shapes(body)), set(layout(said))
    minor = {shape for shape in meant if shape.role in ("cache", "spare")}  # 2.1 leaves these out
    if understood not in (meant, meant - minor):
        differing = "; ".join(sorted(map(str, understood ^ meant)))
        raise OtherwiseMeant(
            f"zpool understood another layout for {name} than host.yaml has: {differing}",
            hint=f"try it by hand: {' '.join(create_pool(name, body, '-n'))}",
        )
    return Rehearsal(create_pool(name, body, *flags), warning)


def _minded(name: str, error: CommandFailed) -> tuple[str, ...]:
    """What force would override; an error where there is something else."""
    reasons = overridable(error.stderr)
    if not reasons:
        raise _refused(name, tuple(error.stderr.strip().splitlines())) from error
    return reasons


def _refused(name: str, reasons: tuple[str, ...]) -> OtherwiseMeant:
    hint = "mend that; nothing was changed by this command"
    if all(each.startswith(MISMATCH) for each in reasons):
        hint = "give all vdevs the same redundancy, or acknowledge STO004 in host.yaml"
    return OtherwiseMeant(f"zpool refuses to create {name}: {'; '.join(reasons)}", hint=hint)
