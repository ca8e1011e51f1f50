"""This machine as one that a deploy goes to: real shells, and a systemd that says what we like."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from emily_infra.machine import CommandFailed, Ending

ACTIVE = (
    "Id={0}\nLoadState=loaded\nActiveState=active\nSubState={1}\nInvocationID=i1\nNRestarts=0\n"
)
MISSING = "Id={0}\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n"
FAILED = (
    "Id={0}\nLoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\n"
    "InvocationID=i2\nNRestarts=5\nTriggeredBy={1}\n"
)


@dataclass
class Here:
    """This machine, with a systemctl of our own in front of its programs."""

    folder: Path
    shell: str = "sh"
    name: str = "here"
    runs: int = 0
    units: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        self.runs += 1
        self._write_systemctl()
        text = stdin.replace("PATH=/run", f"PATH={self.folder}:/run")
        words = list(argv)
        if argv[1] == "-c":
            words[2] = f"PATH={self.folder}:$PATH\n{argv[2]}"
        done = subprocess.run(
            [self.shell, *words[1:]],
            input=text, capture_output=True, text=True, timeout=deadline, check=False,
        )  # fmt: skip
        if done.returncode:
            raise CommandFailed(self.name, argv, Ending(done.returncode, "", done.stderr))
        return done.stdout

    def close(self) -> None:
        pass

    def _write_systemctl(self) -> None:
        for name, text in self.units.items():
            (self.folder / name).write_text(text + "\n")
        rows = "".join(f"echo '{name} loaded failed failed x'\n" for name in self.failed)
        program = self.folder / "systemctl"
        program.write_text(
            f"#!/bin/sh\ncase $1 in\nlist-units) {rows or ':'} ;;\n"
            f'show) while [ "$1" != -- ]; do shift; done; shift\n'
            f'  for unit; do cat "{self.folder}/$unit"; done ;;\nesac\n'
        )
        program.chmod(0o755)
