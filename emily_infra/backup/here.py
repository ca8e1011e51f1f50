"""The host that a backup command runs on, as every verb gets it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from emily_infra.backup.faults import NotNamed
from emily_infra.backup.settings import Repository, Secret, Settings
from emily_infra.machine import Local

_Named = TypeVar("_Named")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _silent(line: str) -> None:
    """Nobody listens."""


def clock() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Here:
    """This host: what it is told, its programs, its clock, and who hears of the work."""

    settings: Settings
    now: Callable[[], datetime] = clock
    tell: Callable[[str], None] = _silent
    """Hears a line of the story."""
    credentials: Path | None = None
    """The folder of systemd's credentials, where the command runs as a unit."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of every program."""

    @property
    def machine(self) -> Local:
        """The door to this host's programs."""
        return Local(self.settings.host, environment={"LC_ALL": "C.UTF-8", **self.environment})

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """Standard output of a program; CommandFailed or Expired otherwise."""
        return self.machine.run(*argv, stdin=stdin, deadline=deadline)

    def secret(self, secret: Secret) -> Path:
        """The file that holds a secret for this run."""
        given = self.credentials / secret.credential if self.credentials else None
        return given if given and given.exists() else secret.file

    def repository(self, name: str) -> Repository:
        """A repository by its name."""
        return named(self.settings.repositories, name, "repository")


def named(entries: Mapping[str, _Named], name: str, kind: str) -> _Named:
    """What has a name, or NotNamed."""
    if name not in entries:
        raise NotNamed(
            f"this host has no {kind} {name}",
            hint=f"its names: {', '.join(sorted(entries)) or 'none; add one to host.yaml'}",
        )
    return entries[name]


def this_run() -> str:
    """A name for this process that no other one has, before or after a reboot."""
    return run_of(os.getpid())


def run_of(pid: int) -> str:
    """The name of a living process; empty where there is none."""
    ticks = started(pid)
    return "" if ticks is None else f"{_BOOT_ID.read_text('ascii')[:8]}-{pid}-{ticks}"


def started(pid: int) -> int | None:
    """When a living process began, in clock ticks since boot; nothing where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The start is field 22 (proc(5)); field 2 may hold blanks.
    state, ticks = (fields := stat.rpartition(b")")[2].split())[0], fields[19]
    return None if state == b"Z" else int(ticks)


def lives(run: str) -> bool:
    """Whether the process of a run is still there."""
    _, _, rest = run.partition("-")
    pid = rest.partition("-")[0]
    return pid.isdigit() and run_of(int(pid)) == run
