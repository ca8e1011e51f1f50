"""A host that runs the cognitive runtime, and who calls it over the host's own network."""

from dataclasses import dataclass
from functools import cached_property

from tests.lab.rehearsal import Rehearsal

ADDRESS = "10.20.0.2", 8470
_HOST = """
runtime: { zone: data, token: secret:runtime-token, memory: 512MiB }
network:
  allow:
    - { from: management, to: host, services: [ssh] }
    - { from: data, to: host, services: [smb, runtime] }
    - { from: far, to: host, services: [smb] }
secrets: { runtime-token: {} }
"""


@dataclass
class Thinking:
    """The host, its operator, and its callers."""

    stage: Rehearsal

    # --- the operator

    def apply(self) -> None:
        """Bring the runtime."""
        self.stage.describe(_HOST)
        done = self.stage.apply()
        assert done.process.returncode == 0, done.said

    # --- root on the machine

    def console(self, script: str, deadline: float = 300) -> str:
        """Its output; a failing command fails the test."""
        return self.stage.console(f"set -e\n{script}\n", deadline=deadline)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties of a unit, as systemd says them."""
        names = ",".join(properties)
        said = self.console(f"systemctl show --property={names} {unit}")
        return dict(line.split("=", 1) for line in said.splitlines())

    def wait(self, colour: str) -> None:
        """Until a colour says that it is ready."""
        self.stage.wait_for(
            f"curl -sS --unix-socket /run/emily-runtime/{colour}/control.sock "
            'http://runtime/control/state 2>/dev/null | grep -q \'"phase":"ready"\''
        )

    # --- a machine of its network

    @cached_property
    def token(self) -> str:
        """What its callers have to know."""
        return self.console("cat /run/secrets/runtime-token").strip()

    def call(self, path: str, token: str | None = None) -> tuple[int, str]:
        """Status and body of a request that comes in by the host's network card."""
        bearer = f"-H 'Authorization: Bearer {self.token if token is None else token}'"
        address = f"http://{ADDRESS[0]}:{ADDRESS[1]}{path}"
        said = self.console(f"curl -sS -w '\\n%{{http_code}}' {bearer} {address}")
        body, _, status = said.rpartition("\n")
        return int(status), body
