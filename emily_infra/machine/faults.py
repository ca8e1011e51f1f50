"""What can go wrong between here and a machine."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from emily_infra.errors import EmilyError

_LINES = 20
_WIDTH = 160


@dataclass(frozen=True)
class Ending:
    """How a command ended; without a status, a signal or the server ended it."""

    status: int | None
    stdout: str
    stderr: str


class CommandFailed(EmilyError):
    """A command ran and did not succeed."""

    code = "MAC001"

    def __init__(
        self, machine: str, argv: Sequence[str], ending: Ending, *, hint: str = ""
    ) -> None:
        self.machine = machine
        self.argv = tuple(argv)
        self.ending = ending
        self.status = ending.status
        self.stdout = ending.stdout
        self.stderr = ending.stderr
        super().__init__(
            f"{short(argv)} failed on {machine}: {self._how()}{_excerpt(ending)}",
            hint=hint or f"try it by hand on {machine}: {shlex.join(argv)}",
        )

    def _how(self) -> str:
        if self.status is None:
            return "it ended without a status (a signal, or the server closed it)"
        if self.status < 0:
            return f"signal {-self.status} ended it"
        return f"exit status {self.status}"


class NotPermitted(CommandFailed):
    """sudo on the machine wants a password, or forbids."""

    code = "MAC007"


class NotTrusted(CommandFailed):
    """The machine's Nix takes no unsigned paths from this user."""

    code = "MAC009"


class Unreachable(EmilyError):
    """No connection, or it broke; a command may or may not have run."""

    code = "MAC002"


class Expired(Unreachable):
    """A deadline passed; a command may still be running."""

    code = "MAC003"


class HostKeyRefused(Unreachable):
    """The host's key is not the one that ssh knows; fingerprint is the key it showed."""

    def __init__(self, message: str, *, hint: str, fingerprint: str) -> None:
        super().__init__(message, hint=hint)
        self.fingerprint = fingerprint


class UnknownHostKey(HostKeyRefused):
    """Nobody has accepted the key of this host yet."""

    code = "MAC004"


class WrongHostKey(HostKeyRefused):
    """The host shows another key than the known one, or a revoked one."""

    code = "MAC005"


class Refused(Unreachable):
    """The server takes none of the keys that there are."""

    code = "MAC006"


class UnsafePath(EmilyError):
    """A file's path cannot stand in NIX_SSHOPTS."""

    code = "MAC008"


def short(argv: Sequence[str]) -> str:
    """A command on one line of bounded length."""
    line = shlex.join(argv).replace("\n", " ")
    return line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."


def _excerpt(ending: Ending) -> str:
    """The last lines of what it said; some programs complain on stdout."""
    said = ending.stderr.strip() or ending.stdout.strip()
    lines = said.splitlines()[-_LINES:]
    return "".join(f"\n  {line}" for line in lines)
