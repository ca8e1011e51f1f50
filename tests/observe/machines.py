"""Machines that run the probe for real, here, with programs of our own in front of PATH."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Here:
    """This machine through a shell of its own; counts what it is asked."""

    shell: tuple[str, ...] = ("sh",)
    programs: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    edit: tuple[str, str] = ("", "")
    name: str = "here"
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """Standard output, as a connection to a root shell would bring it."""
        self.asked.append(argv)
        path = os.environ["PATH"]
        if self.programs:
            path = f"{self.programs}:{path}"
        done = subprocess.run(
            self.shell, input=stdin.replace(*self.edit).encode(), capture_output=True,
            timeout=deadline, check=True, env={"PATH": path, **self.environment},
        )  # fmt: skip
        return done.stdout.decode("ascii")

    def close(self) -> None:
        """Nothing is held open."""


def program(folder: Path, name: str, script: str) -> None:
    """A program under a name of our choice."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
