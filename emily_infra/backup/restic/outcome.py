"""What restic's exit codes mean, and what to do about them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from emily_infra.backup.faults import BackupError
from emily_infra.backup.restic.faults import InUse, NoRepository, ResticFailed, WrongPassword

DONE, FAILED, CRASHED, INCOMPLETE, MISSING, LOCKED, REFUSED, STOPPED = 0, 1, 2, 3, 10, 11, 12, 130
"""Exit codes of restic 0.17 and newer; any other is a failure too."""
_SHOWN = 5
_PASSWORD_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")


@dataclass(frozen=True)
class Done:
    """How a run of restic ended."""

    status: int
    complaints: tuple[str, ...] = ()
    """What it said was wrong, the newest last; the first hundred and the last hundred."""

    @property
    def said(self) -> str:
        """All of its complaints."""
        return "\n".join(self.complaints)


def shown(url: str) -> str:
    """An address without the password that may be in it."""
    return _PASSWORD_IN_URL.sub("***", url)


def fault(name: str, url: str, done: Done) -> BackupError:
    """The error for a run that did not end well."""
    place = f"repository {name} ({shown(url)})"
    match done.status:
        case 10:
            return NoRepository(
                f"{place}: there is none",
                hint="is the address right, and the disk mounted? a new one is only made when "
                f"asked: emily-infra backup init {name}",
            )
        case 11:
            return InUse(
                f"{place} is locked{_last(done)}",
                hint="wait for it; a lock that a dead run of this host left is removed by itself, "
                "one of another host never: look at who that is",
            )
        case 12:
            return WrongPassword(
                f"{place} does not open with this password",
                hint="compare the file of its secret with the copy that you keep elsewhere",
            )
    return ResticFailed(f"{place}: {_how(done.status)}{_last(done)}", hint=_hint(name, done.said))


def _how(status: int) -> str:
    if status < 0:
        return f"signal {-status} ended restic"
    if status == STOPPED:
        return "restic was stopped"
    return f"restic failed (exit status {status})"


def _last(done: Done) -> str:
    lines = [line for text in done.complaints for line in text.splitlines() if line.strip()]
    return "".join(f"\n  {shown(line)[:300]}" for line in lines[-_SHOWN:])


_HINTS: Mapping[str, str] = {
    r"no space left|disk quota|insufficient storage|\b507\b": (
        "the place of the repository is full: make room there, then "
        "emily-infra backup prune {name}; nothing that was copied before is lost"
    ),
    r"connection refused|no such host|i/o timeout|network is unreachable|no route to host"
    r"|connection reset|unable to start the sftp": (
        "the server does not answer: is it up, is its address right, does the network let "
        "this host through? The next run tries again"
    ),
    r"x509|certificate": "the server's certificate is not trusted here: look at its name and date",
    r"\b401\b|\b403\b|forbidden|access denied|invalidaccesskey|signaturedoesnotmatch": (
        "the server knows this host's keys, or not, and forbids it: look at the file of its "
        "environment secret; on an append-only server nothing can be deleted from here"
    ),
}


def _hint(name: str, said: str) -> str:
    for pattern, hint in _HINTS.items():
        if re.search(pattern, said, re.IGNORECASE):
            return hint.format(name=name)
    return f"the lines above are restic's own; run it again: emily-infra backup verify {name}"
