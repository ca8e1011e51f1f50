"""The way to a host, or to the lab that stands in for it."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emily_infra.errors import EmilyError

if TYPE_CHECKING:
    from emily_infra.machine import Target
    from emily_infra.spec.host import Host

Lab = Annotated[bool, typer.Option("--lab", help="The host's lab instead of the host.")]
Via = Annotated[
    str,
    typer.Option(
        "--via", metavar="ADDRESS", show_default=False,
        help="Connect there, ADDRESS or ADDRESS:PORT, while a change of its address or SSH port "
        "is not made yet; after an apply it must answer at deploy.address.",
    ),
]  # fmt: skip
_SSH = 22
_PLACE = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<plain>[^\[\]:]+))(?::(?P<port>\d{1,5}))?")
_OURS = re.compile(
    r"\bemily-infra (?:plan|apply|rollback|status|drift|generations|history|storage \w+|disk \w+"
    r"|runtime \w+)"
    r" \w[\w-]*+"
    r"(?! --(?:lab|via)\b)"
)
"""A command for a host, up to the host's name, that does not say yet which way leads there."""


@dataclass(frozen=True)
class Where:
    """Whom a command is for: the host, by whatever way leads in, or the lab in its place."""

    lab: bool = False
    via: str = ""

    @property
    def afterwards(self) -> "Where":
        """Where it must be found once a change is confirmed."""
        return replace(self, via="")

    def said(self, text: str) -> str:
        """A text whose commands for a host lead where this one led."""
        options = [*(["--via", self.via] if self.via else []), *(["--lab"] if self.lab else [])]
        return (
            _OURS.sub(lambda found: f"{found[0]} {shlex.join(options)}", text) if options else text
        )

    def words(self, command: tuple[str, ...]) -> list[str]:
        """The same for a command in words, as a program takes it."""
        return shlex.split(self.said(shlex.join(command)))


@dataclass(frozen=True)
class Road:
    """Where a host is found now, and where it must be found afterwards."""

    now: "Target"
    afterwards: "Target"


def reach(host: "Host", where: Where) -> "Target":
    """Where a host is and who logs in there; the rest is for SSH's own configuration to say."""
    if where.lab:
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
    return _elsewhere(target, where.via) if where.via else target


@contextmanager
def reached() -> Iterator[None]:
    """OutOfReach instead of Unreachable: nothing has been changed yet."""
    from emily_infra.apply.errors import OutOfReach
    from emily_infra.machine import Unreachable

    try:
        yield
    except Unreachable as error:
        raise OutOfReach(str(error), hint=error.hint) from error


def addressed(host: "Host", address: str) -> "Target":
    """Root of whatever answers at [USER@]ADDRESS[:PORT] on a host's machine, before the host."""
    from emily_infra.machine import Target

    user, at, rest = address.rpartition("@")
    target = Target(host.name, rest, user=user if at and user else "root")
    return _elsewhere(target, rest, "--target")


def staged(host: "Host", where: Where) -> "Host":
    """The host itself, or what its lab makes of it."""
    if not where.lab:
        return host
    from emily_infra.lab import Lab as TheLab

    return TheLab(host.name).played(host)


def road(host: "Host", where: Where) -> Road:
    """Now by whatever way leads in, afterwards by that of host.yaml."""
    return Road(reach(host, where), reach(host, where.afterwards))


def _elsewhere(target: "Target", via: str, option: str = "--via") -> "Target":
    found = _PLACE.fullmatch(via)
    if not found and via.count(":") > 1:
        return replace(target, address=via, port=None)  # IPv6 without brackets
    if not found:
        raise typer.BadParameter("write ADDRESS or ADDRESS:PORT", param_hint=option)
    port = int(found["port"]) if found["port"] else None
    return replace(target, address=found["v6"] or found["plain"], port=port)


def pasteable(host: "Host", command: tuple[str, ...], where: Where) -> str:
    """A command as it is typed here, where it is one for the machine or for its lab too."""
    if command[0] == "emily-infra":
        return where.said(shlex.join(command))
    if where.lab:
        return shlex.join(["emily-infra", "lab", "ssh", host.name, "--", *command])
    target = reach(host, where)
    there = shlex.join(command if target.user == "root" else ["sudo", *command])
    port = ["-p", str(target.port)] if target.port else []
    return shlex.join(["ssh", *port, f"{target.user}@{target.address}", there])


def signposted(command: Callable[..., None]) -> Callable[..., None]:
    """The command, whose errors name what to type next for the machine that it was typed for."""

    @wraps(command)
    def told(**given: Any) -> None:
        try:
            command(**given)
        except EmilyError as error:
            where = Where(lab=given.get("lab", False), via=given.get("via", ""))
            error.hint = where.said(error.hint)
            raise

    return told
