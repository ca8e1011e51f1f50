"""How much memory processes have taken at their largest."""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.05
_STATUS = re.compile(r"Name:\s*(\S+).*^VmHWM:\s*(\d+) kB", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Peaks:
    """A command that has ended, and what it and all other children took, in bytes."""

    code: int
    output: str
    own: int
    others: Mapping[str, int]
    """The largest of each name."""


def peaks(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Peaks:
    """Run COMMAND, and watch it and whatever else descends from this process."""
    own, others = 0, dict[str, int]()
    output = folder / "output"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
        while process.poll() is None:
            own = max(own, _high_water(process.pid)[1])
            for pid in set(_descendants(os.getpid())) - {process.pid}:
                name, size = _high_water(pid)
                others[name] = max(others.get(name, 0), size)
            time.sleep(_EVERY)
    return Peaks(process.returncode, output.read_text(errors="replace"), own, others)


def _high_water(pid: int) -> tuple[str, int]:
    """The kernel keeps the mark itself, so that only the last moments can be missed."""
    with contextlib.suppress(OSError):
        if found := _STATUS.search(Path(f"/proc/{pid}/status").read_text()):
            return found[1], int(found[2]) * 1024
    return "", 0


def _descendants(pid: int) -> Iterator[int]:
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, file.read_text().split()):
                yield child
                yield from _descendants(child)
