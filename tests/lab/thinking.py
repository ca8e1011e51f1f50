"""A host that runs the cognitive runtime, and who calls it over the host's own network."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.lab.rehearsal import Rehearsal

ADDRESS = "10.20.0.2", 8470
STATE = "/var/lib/emily-runtime"
_HOST = """
runtime: {{ zone: data, token: secret:runtime-token, memory: 512MiB, language: {language} }}
network:
  allow:
    - {{ from: management, to: host, services: [ssh] }}
    - {{ from: data, to: host, services: [smb, runtime] }}
    - {{ from: far, to: host, services: [smb] }}
secrets: {{ runtime-token: {{}} }}
"""
_CALLING = (Path(__file__).parent / "calling.py").read_text()
_CALLS = "/run/calls"


@dataclass
class Thinking:
    """The host, its operator, and its callers."""

    stage: Rehearsal

    # --- the operator

    def apply(self, language: str = "en") -> None:
        """Bring another version: one that speaks another language."""
        self.stage.describe(_HOST.format(language=language))
        done = self.stage.apply()
        assert done.process.returncode == 0, done.said

    def deployed(self, colour: str) -> None:
        """See to it that this colour takes."""
        if self.console(f"cat {STATE}/active").strip() != colour:
            code, said = self.operator("deploy", "--again", "--window", "1s")
            assert code == 0, said
        self.wait(colour)

    def operator(self, verb: str, *words: str) -> tuple[int, str]:
        """`emily-infra runtime VERB HOST`, to its end: exit code and everything said."""
        command = [sys.executable, "-m", "emily_infra", "runtime", verb, self.stage.name, "--lab"]
        done = subprocess.run(
            [*command, *words], cwd=self.stage.root, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    # --- root on the machine

    def console(self, script: str, deadline: float = 300) -> str:
        """Its output; a failing command fails the test."""
        return self.stage.console(f"set -e\n{script}\n", deadline=deadline)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties of a unit, as systemd says them."""
        names = ",".join(properties)
        said = self.console(f"systemctl show --property={names} {unit}")
        return dict(line.split("=", 1) for line in said.splitlines())

    def main(self, colour: str) -> str:
        """The process of a colour."""
        return self.show(f"emily-runtime@{colour}", "MainPID")["MainPID"]

    def control(self, colour: str, path: str = "/control/state") -> dict[str, object]:
        """What a colour answers on its own socket."""
        socket = f"/run/emily-runtime/{colour}/control.sock"
        found = json.loads(self.console(f"curl -sS --unix-socket {socket} http://runtime{path}"))
        assert isinstance(found, dict)
        return found

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

    @contextmanager
    def callers(self) -> Iterator[dict[str, int]]:
        """They call while the block runs; how often they got which reply is there after it."""
        replies: dict[str, int] = {}
        self.console(f"nohup setsid {self._calling('restless')} </dev/null >/run/calls.log 2>&1 &")
        try:
            yield replies
        finally:
            replies |= self._called()

    def flood(self, seconds: float, connections: int) -> dict[str, int]:
        """So many connections that never rest, for some seconds; how often they got which reply."""
        self.console(f"{self._calling('flood')} {seconds} {connections}", 10 * seconds + 300)
        return self._called()

    def _calling(self, what: str) -> str:
        self.console(f"rm -f {_CALLS}*; cat >/run/calling.py <<'END'\n{_CALLING}END")
        host, port = ADDRESS
        return f"python3 /run/calling.py {host} {port} {what} {_CALLS}.json"

    def _called(self) -> dict[str, int]:
        said = self.console(
            f"touch {_CALLS}.over; until [ -e {_CALLS}.json ]; do sleep 1; done; cat {_CALLS}.json"
        )
        found = json.loads(said)
        assert isinstance(found, dict)
        return found
