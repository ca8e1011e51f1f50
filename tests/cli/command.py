"""The command line as a person runs it: a process of its own, in a project of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.hosts import ROOT


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def emily(folder: Path, *arguments: str, columns: int = 80) -> Done:
    """Run emily-infra in a folder; a traceback is a failure of the test."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": str(columns),
    }
    command = (sys.executable, "-m", "emily_infra", *arguments)
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def project(folder: Path, **hosts: str) -> Path:
    """A folder with the given texts as host.yaml files."""
    for name, text in hosts.items():
        home = folder / "hosts" / name
        home.mkdir(parents=True)
        (home / "host.yaml").write_text(text)
    return folder


def text_of(name: str) -> str:
    """The host.yaml of a shipped host."""
    return (ROOT / "hosts" / name / "host.yaml").read_text()
