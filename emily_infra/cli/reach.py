"""The way to a host, or to the lab that stands in for it."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emily_infra.machine import Target
    from emily_infra.spec.host import Host

Lab = Annotated[bool, typer.Option("--lab", help="The host's lab instead of the host.")]
_SSH = 22


def reach(host: "Host", *, lab: bool) -> "Target":
    """Where a host is and who logs in there; the rest is for SSH's own configuration to say."""
    if lab:
        from emily_infra.lab import Lab as TheLab

        return TheLab(host.name).target()
    from emily_infra.machine import Target

    port = host.spec.system.ssh.port
    return Target(
        name=host.name,
        address=str(host.spec.deploy.address),
        user=host.spec.deploy.user,
        port=port if port != _SSH else None,
    )


def pasteable(host: "Host", command: tuple[str, ...], *, lab: bool) -> str:
    """A command as it is typed here, where it is one for the machine or for its lab too."""
    if command[0] == "emily-infra":
        return shlex.join([*command, *(["--lab"] if lab else [])])
    if lab:
        return shlex.join(["emily-infra", "lab", "ssh", host.name, "--", *command])
    port = host.spec.system.ssh.port
    login = f"{host.spec.deploy.user}@{host.spec.deploy.address}"
    there = shlex.join(command if host.spec.deploy.user == "root" else ["sudo", *command])
    way_in = ["ssh", *(["-p", str(port)] if port != _SSH else []), login, there]
    return shlex.join(way_in)
