"""The way to a host, or to the lab that stands in for it."""

import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emily_infra.machine import Target
    from emily_infra.spec.host import Host

Lab = Annotated[bool, typer.Option("--lab", help="The host's lab instead of the host.")]
Via = Annotated[
    str,
    typer.Option(
        "--via", metavar="ADDRESS", show_default=False,
        help="Connect there for now, ADDRESS or ADDRESS:PORT; afterwards it must answer at "
        "deploy.address. For a change of its address or its SSH port.",
    ),
]  # fmt: skip
_SSH = 22
_PLACE = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<plain>[^\[\]:]+))(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class Road:
    """Where a host is found now, and where it must be found afterwards."""

    now: "Target"
    afterwards: "Target"


def reach(host: "Host", *, lab: bool, via: str = "") -> "Target":
    """Where a host is and who logs in there; the rest is for SSH's own configuration to say."""
    if lab:
        from emily_infra.lab import Lab as TheLab

        return TheLab(host.name).target()
    from emily_infra.machine import Target

    port = host.spec.system.ssh.port
    target = Target(
        name=host.name,
        address=str(host.spec.deploy.address),
        user=host.spec.deploy.user,
        port=port if port != _SSH else None,
    )
    return _elsewhere(target, via) if via else target


def staged(host: "Host", *, lab: bool) -> "Host":
    """The host itself, or what its lab makes of it."""
    if not lab:
        return host
    from emily_infra.lab import Lab as TheLab

    return TheLab(host.name).played(host)


def road(host: "Host", *, lab: bool, via: str = "") -> Road:
    """Now by whatever way leads in, afterwards by that of host.yaml."""
    return Road(reach(host, lab=lab, via=via), reach(host, lab=lab))


def _elsewhere(target: "Target", via: str) -> "Target":
    found = _PLACE.fullmatch(via)
    if not found and via.count(":") > 1:
        return replace(target, address=via, port=None)  # IPv6 without brackets
    if not found:
        raise typer.BadParameter("write ADDRESS or ADDRESS:PORT", param_hint="--via")
    port = int(found["port"]) if found["port"] else None
    return replace(target, address=found["v6"] or found["plain"], port=port)


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
