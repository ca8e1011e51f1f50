"""The way to the far side: OpenSSH, its key pinned, and one request a connection."""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from emily_infra.backup.faults import BackupError
from emily_infra.backup.here import Here, named
from emily_infra.backup.replication.asking import Request, State, There, Took
from emily_infra.backup.replication.faults import Disagree, FarFailed, NotReached
from emily_infra.backup.settings import Part, Replica
from emily_infra.backup.state import replaced
from emily_infra.machine import CommandFailed, Ending

_Answer = TypeVar("_Answer", bound=Part)
_SSH_FAILED = 255
_DEADLINE = 900.0
_OPTIONS = {
    "BatchMode": "yes",
    "CheckHostIP": "no",
    "ClearAllForwardings": "yes",
    "Compression": "no",  # the stream is compressed as it lies on the disks
    "ConnectTimeout": "20",
    "ControlMaster": "no",
    "ControlPath": "none",
    "GlobalKnownHostsFile": "/dev/null",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "LogLevel": "ERROR",
    "PreferredAuthentications": "publickey",
    "RequestTTY": "no",
    "ServerAliveCountMax": "4",
    "ServerAliveInterval": "15",
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
}


@dataclass(frozen=True)
class Far:
    """A replica's other end."""

    here: Here
    name: str

    @property
    def told(self) -> Replica:
        """What host.json says of it."""
        return named(self.here.settings.replicas, self.name, "replica")

    @property
    def _known_hosts(self) -> Path:
        return self.here.settings.paths.state / "replicas" / f"{self.name}.known_hosts"

    def prepare(self) -> None:
        """Write down the one key that the far side may show."""
        replaced(self._known_hosts, f"{self.name} {self.told.host_key}\n".encode(), mode=0o600)

    def argv(self, request: Request) -> tuple[str, ...]:
        """The command that asks."""
        told = self.told
        options = {
            **_OPTIONS,
            "HostKeyAlias": self.name,
            "UserKnownHostsFile": str(self._known_hosts),
        }
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        key = str(self.here.secret(told.key))
        way = ("-F", "/dev/null", "-i", key, "-p", str(told.port), "-l", told.user)
        return ("ssh", *way, *flags, "--", told.address, request.line)

    def state(self, dataset: str) -> There:
        """How a dataset is over there; Disagree where it would land in another place."""
        there = self._ask(State(dataset), There)
        if there.into != self.told.into:
            raise Disagree(
                f"{self.name} takes what this host sends into {there.into}, and host.yaml here "
                f"says {self.told.into}",
                hint=f"make them the same: backup.replicas.{self.name}.into here, or "
                f"backup.receives.{self.here.settings.host}.into there",
            )
        return there

    def tell(self, request: Request) -> Took:
        """Have something done."""
        return self._ask(request, Took)

    def _ask(self, request: Request, kind: type[_Answer]) -> _Answer:
        try:
            said = self.here.run(*self.argv(request), deadline=_DEADLINE)
        except CommandFailed as error:
            raise self.failure(error.ending) from error
        return self.answer(said, kind)

    def answer(self, said: str, kind: type[_Answer]) -> _Answer:
        """What it answered; Disagree where that is not understood."""
        with contextlib.suppress(ValidationError):
            return kind.model_validate_json(said)
        raise Disagree(
            f"{self.name} answers something else than a far side does: {said[:80]!r}",
            hint="both ends need the same version: emily-infra --version on each; and its "
            "authorized_keys must run emily-infra backup receive, as apply writes it",
        )

    def failure(self, ending: Ending) -> BackupError:
        """Why ssh, or what it ran over there, failed."""
        said = [line for line in ending.stderr.strip().splitlines() if line.strip()]
        if ending.status == _SSH_FAILED or not said:
            return self._unreached("\n".join(said) or "the connection ended without a word")
        text = "\n".join(said)
        found = re.search(r"^error (.*?)(?:^hint: (.*))?\Z", text, re.DOTALL | re.MULTILINE)
        message, hint = found.groups() if found else (text, None)
        return FarFailed(
            f"{self.name} says: {message.strip()}",
            hint=f"on {self.name}: {hint.strip() if hint else 'emily-infra backup status'}",
        )

    def _unreached(self, said: str) -> NotReached:
        told, last = self.told, said.splitlines()[-1]
        where = f"{self.name} ({told.address}, port {told.port})"
        if "Host key verification failed" in said or "HOST IDENTIFICATION" in said:
            return NotReached(
                f"{where} shows another host key than host.yaml names; nothing was sent",
                hint="look at its console: cat /etc/ssh/ssh_host_ed25519_key.pub; if it has a new "
                f"one, put that into backup.replicas.{self.name}.host_key",
            )
        if "Permission denied" in said:
            return NotReached(
                f"{where} does not take the key of this host",
                hint=f"its host.yaml must name it in backup.receives.{self.here.settings.host}: "
                f"ssh-keygen -y -f {self.here.secret(told.key)}",
            )
        return NotReached(
            f"{where} cannot be reached: {last}",
            hint=f"try it by hand: ssh -p {told.port} {told.user}@{told.address}; the next run "
            "goes on where this one stopped",
        )
