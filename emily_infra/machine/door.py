"""The one way to a machine."""

import getpass
from typing import Protocol

from emily_infra.machine.deadline import Deadline
from emily_infra.machine.elevate import AsRoot
from emily_infra.machine.local import Local
from emily_infra.machine.target import Target


class Machine(Protocol):
    """Something that runs commands as root."""

    @property
    def name(self) -> str:
        """The host's name in hosts/."""

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """Standard output of ARGV, or CommandFailed; Unreachable where that cannot be known."""

    def close(self) -> None:
        """Let go of the connection."""


def connect(target: Target, *, deadline: float = 20.0) -> Machine:
    """A new connection to TARGET, of its own: no multiplexing, nothing reused."""
    if target.is_local:
        return Local(name=target.name, elevation=AsRoot(getpass.getuser()))
    # paramiko takes 0.3 s to import, which whoever never leaves this machine should not pay.
    from emily_infra.machine.opening import opened
    from emily_infra.machine.ssh import PULSE

    return opened(target, Deadline.after(deadline), PULSE.slowed(target.slowness))
