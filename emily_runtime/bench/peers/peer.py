"""A peer that works when it is told to, in a process and an interpreter of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import emily_runtime

QUIET = {"MEM0_TELEMETRY": "False", "ANONYMIZED_TELEMETRY": "False", "OPENBLAS_NUM_THREADS": "1"}
"""Nobody tells anything to anybody, and nobody computes on more threads than we do."""


class Around(NamedTuple):
    """What a run of the benchmark has beside itself."""

    pythons: Sequence[str] = (sys.executable,)
    """Interpreters that peers are looked for in, in this order."""
    dsn: str | None = None
    """A PostgreSQL server with pgvector."""
    minutes: float = 0.5
    """How long the service is asked without a pause."""


class Peer:
    """One that is there; `seconds` is what its work took, of its own processor time."""

    def __init__(self, process: "subprocess.Popen[str]", version: str) -> None:
        self.version = version
        self.told: dict[str, Any] = {}
        """What came of its work, the last time."""
        self._process = process

    def seconds(self) -> float:
        """Have it do its work once."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        answer = _answer(self._process)
        self.told = answer["told"] or {}
        return float(answer["seconds"])


class Absent(NamedTuple):
    """One that is in none of the interpreters, and why."""

    why: str


@contextmanager
def peer(around: Around, name: str, **given: object) -> Iterator[Peer | Absent]:
    """The module NAME beside this one, in the first interpreter that has what it imports."""
    why = "no interpreter was named"
    for python in around.pythons:
        with _started(python, name, given) as process:
            first = _answer(process)
            if "version" in first:
                yield Peer(process, first["version"])
                return
            why = first["absent"]
    yield Absent(why)


def interpreter(around: Around, module: str) -> str | Absent:
    """The first one that can import MODULE."""
    for python in around.pythons:
        command = [python, "-c", f"import {module}"]
        if not subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603
            return python
    return Absent(f"{module} is not installed")


@contextmanager
def _started(python: str, name: str, given: object) -> Iterator["subprocess.Popen[str]"]:
    command = [python, "-m", "emily_runtime.bench.peers", name, json.dumps(given)]
    with subprocess.Popen(  # noqa: S603 - an interpreter that was named on the command line
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | QUIET | {"PYTHONPATH": str(Path(emily_runtime.__file__).parents[1])},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout
    line = process.stdout.readline()
    found: dict[str, Any] = json.loads(line) if line else {"absent": "it ended without a word"}
    return found
