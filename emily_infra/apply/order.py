"""What is to be done to one host: all that the host itself has to know."""

import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from emily_infra.apply.check import Check

if TYPE_CHECKING:
    from emily_infra.plan.model import Step
    from emily_infra.spec.host import HostSpec


class Kind(StrEnum):
    """How the host gets from the old system to the new one."""

    LIVE = "live"
    REBOOT = "reboot"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Standing:
    """What the host is when a deploy begins; anything else on the host makes the order stale."""

    toplevel: str
    generation: int
    boot_id: str
    ssh_address: str = ""
    ssh_port: int = 0
    menu: int = 8
    """How many generations its boot menu holds."""


@dataclass(frozen=True)
class Back:
    """A generation to go back to."""

    toplevel: str
    generation: int


@dataclass(frozen=True)
class Pace:
    """How long each side waits, in seconds."""

    activate: int = 600
    confirm: int = 120
    lease: int = 90
    poll: float = 1.0
    tick: float = 0.5
    """Between two looks of the host's own program."""
    health: int = 30
    """How long the host waits, after going back, for units and network to come back."""

    @property
    def total(self) -> int:
        """By when the host has decided by itself, whatever happened."""
        return 4 * self.activate + self.confirm + 900


@dataclass(frozen=True)
class Order:
    """One deploy."""

    host: str
    new: str
    old: Standing
    kind: Kind = Kind.LIVE
    generation: int | None = None
    """Where NEW is a generation of the host already."""
    steps: "tuple[Step, ...]" = ()
    checks: Sequence[Check] = ()
    pace: Pace = Pace()
    plan: str = ""
    """The digest of the plan, for the record."""
    back: Back | None = None
    """Where to go back to, if not to what runs now."""
    spec: "HostSpec | None" = None
    """What the steps lead to; without it they are taken as they were planned."""
    pending: str = ""
    """What the new system still needs a reboot for, when all is done."""

    @property
    def is_converging(self) -> bool:
        """Whether the new system runs already, and only has to stay."""
        return self.new == self.old.toplevel


@dataclass(frozen=True)
class Ticket:
    """One try at an order: its name on the host, and the secret that it is confirmed with."""

    id: str
    who: str
    where: str
    started: str
    token: str = field(repr=False)


def ticket(who: str, where: str, now: datetime) -> Ticket:
    """A new one; no two are the same, and no closure's name is part of it."""
    name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    return Ticket(name, who, where, f"{now:%Y-%m-%dT%H:%M:%SZ}", secrets.token_hex(16))


def settings(order: Order, ticket: Ticket) -> str:
    """The file that the host's program sources."""
    pace = order.pace
    back = order.back or Back(order.old.toplevel, order.old.generation)
    values = {
        "ID": ticket.id, "WHO": ticket.who, "FROM_WHERE": ticket.where, "HOST": order.host,
        "PLAN": order.plan, "STARTED": ticket.started, "KIND": order.kind.value,
        "RUNNING": order.old.toplevel, "AT_GENERATION": str(order.old.generation),
        "OLD": back.toplevel, "OLD_GENERATION": str(back.generation),
        "NEW": order.new, "NEW_GENERATION": str(order.generation or ""),
        "BOOT_ID": order.old.boot_id, "SSH_ADDRESS": order.old.ssh_address,
        "SSH_PORT": str(order.old.ssh_port or ""), "MENU": str(order.old.menu),
        "CONFIRM_SECONDS": str(pace.confirm), "ACTIVATE_SECONDS": str(pace.activate),
        "LEASE_SECONDS": str(pace.lease), "TICK": f"{pace.tick:g}",
        "HEALTH_SECONDS": str(pace.health),
    }  # fmt: skip
    # Always in quotes, on one line: the host's other programs read it line by line.
    return "".join(f"{key}={_quoted(value)}\n" for key, value in values.items())


def _quoted(value: str) -> str:
    plain = " ".join(value.split())
    quoted = shlex.quote(plain)
    return quoted if quoted.startswith("'") else f"'{quoted}'"
