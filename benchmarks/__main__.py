"""`python -m benchmarks`: whole-process times, as a person at the terminal waits for them.

Each pair is run alternately; the figure is the median, with the least and the most. Peers are
installed into an environment of their own and are never a dependency.
"""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.apply import simulate
from benchmarks.fleet import ROOT, write_fleet

RUNS = 31
FLEETS = (100, 300, 1000)
APPLIES = (1, 20, 100)
OURS = str(Path(sys.executable).parent / "emily-infra")


def seconds(command: Sequence[str], folder: Path) -> float:
    """Wall time of one run, which must succeed."""
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begin


def alternate(commands: dict[str, Sequence[str]], folder: Path) -> dict[str, list[float]]:
    """Every command RUNS times in turn, after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(RUNS + 1):
        for name, command in commands.items():
            took = seconds(command, folder)
            if run:
                times[name].append(took)
    return times


def peer() -> str:
    """pyinfra in an environment of its own."""
    folder = Path(tempfile.gettempdir()) / "emily-infra-benchmark-peer"
    if not (folder / "bin/pyinfra").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", "pyinfra"], check=True)
    return str(folder / "bin/pyinfra")


def start_up() -> None:
    """One host, each command as a whole process."""
    commands = {
        "pyinfra --version": (peer(), "--version"),
        "emily-infra --version": (OURS, "--version"),
        "emily-infra check ember": (OURS, "check", "ember"),
        "emily-infra render ember": (OURS, "render", "ember"),
    }
    times = alternate(commands, ROOT)
    base = statistics.median(times["pyinfra --version"])
    print("| command | median | least | most | of pyinfra --version |")
    print("| --- | --- | --- | --- | --- |")
    for name, took in times.items():
        middle = statistics.median(took)
        row = f"{middle:.3f} s | {min(took):.3f} s | {max(took):.3f} s | {middle / base:.2f}"
        print(f"| `{name}` | {row} |")


def fleets() -> None:
    """Growing fleets: check and render, the first time and with nothing to write."""
    print("\n| hosts | check | first render | render again | ms a host (check + first render) |")
    print("| --- | --- | --- | --- | --- |")
    for count in FLEETS:
        folder = Path(tempfile.mkdtemp(prefix="emily-infra-fleet."))
        try:
            write_fleet(folder, count)
            check = seconds((OURS, "check"), folder)
            first, again = (seconds((OURS, "render"), folder) for _ in range(2))
            each = 1000 * (check + first) / count
            print(f"| {count} | {check:.2f} s | {first:.2f} s | {again:.2f} s | {each:.1f} |")
        finally:
            shutil.rmtree(folder)


def applies() -> None:
    """Apply to hosts that only wait; the ratio is what the scheduling costs."""
    print("\n| hosts | apply | slowest host | ratio |")
    print("| --- | --- | --- | --- |")
    for count in APPLIES:
        found = simulate(count)
        print(f"| {count} | {found.whole:.2f} s | {found.slowest:.2f} s | {found.ratio:.2f} |")


def main() -> None:
    """Print the tables of benchmarks/README.md."""
    load, cores = os.getloadavg()[0], os.cpu_count()
    print(f"Python {platform.python_version()}, {cores} cores, load {load:.1f}, median of {RUNS}\n")
    parts: tuple[Callable[[], None], ...] = (start_up, fleets, applies)
    for part in parts:
        part()


if __name__ == "__main__":
    main()
