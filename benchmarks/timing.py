"""Whole processes by the clock."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

RUNS = 31


def seconds(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> float:
    """Wall time of one run, which must succeed."""
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    took = time.perf_counter() - begin
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return took


def alternate(
    commands: Mapping[str, Sequence[str]],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    runs: int = RUNS,
) -> dict[str, list[float]]:
    """Every command RUNS times in turn, after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, command in commands.items():
            took = seconds(command, folder, environment)
            if run:
                times[name].append(took)
    return times
