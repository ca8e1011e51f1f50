"""`python -m benchmarks [PART...]`: what a person at the terminal waits for, and what it takes.

`python -m benchmarks capacity HOST` holds the forecast of pools against real ones in a host's lab;
`python -m benchmarks probe HOST POOL` looks at a pool there that has many snapshots;
`python -m benchmarks expire HOST POOL` expires half of as many, beside other programs;
`python -m benchmarks offsite [FILES]` holds `backup offsite` beside `restic` alone, as root.

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
import venv
from collections.abc import Callable
from pathlib import Path

from benchmarks.apply import simulate
from benchmarks.capacity import capacity
from benchmarks.copying import copied
from benchmarks.expiring import expiring
from benchmarks.fleet import ROOT, write_fleet
from benchmarks.looks import ROUND_TRIP, looks
from benchmarks.offsite import offsite
from benchmarks.probing import probing
from benchmarks.timing import RUNS, alternate, seconds

FLEETS = (100, 300, 1000)
APPLIES = (1, 20, 100)
COPIES = {"1 MiB": 1 << 20, "1 GiB": 1 << 30}
BESIDE = ("nix", "ssh", "nix-daemon", "sshd")
OURS = str(Path(sys.executable).parent / "emily-infra")


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
    _head("command", "median", "least", "most", "of pyinfra --version")
    for name, took in times.items():
        middle = statistics.median(took)
        row = f"{middle:.3f} s | {min(took):.3f} s | {max(took):.3f} s | {middle / base:.2f}"
        print(f"| `{name}` | {row} |")


def fleets() -> None:
    """Growing fleets: check and render, the first time and with nothing to write."""
    _head("hosts", "check", "first render", "render again", "ms a host (check + first render)")
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
    _head("hosts", "apply", "slowest host", "ratio")
    for count in APPLIES:
        found = simulate(count)
        print(f"| {count} | {found.whole:.2f} s | {found.slowest:.2f} s | {found.ratio:.2f} |")


def far() -> None:
    """A host over a long way that is as it should be: what is asked of it, and the clock."""
    found = looks(OURS, peer(), RUNS)
    base = found[-1].middle
    away = f"{1000 * ROUND_TRIP:.0f} ms away"
    _head(away, "connections", "commands", "median", "least", "most", "of pyinfra")
    for look in found:
        asked = f"{look.count.connections} | {look.count.commands}"
        took = f"{look.middle:.2f} s | {min(look.times):.2f} s | {max(look.times):.2f} s"
        print(f"| `{look.name}` | {asked} | {took} | {look.middle / base:.2f} |")


def memory() -> None:
    """The most that a whole apply takes, by what there is to copy."""
    _head("to copy", "emily-infra apply", *BESIDE)
    for name, size in COPIES.items():
        found = copied(OURS, size)
        sizes = (found.own, *(found.others.get(each, 0) for each in BESIDE))
        print(f"| {name} | {' | '.join(f'{each / 1e6:.0f} MB' for each in sizes)} |")


def _head(*names: str) -> None:
    print(f"\n| {' | '.join(names)} |")
    print(f"|{' --- |' * len(names)}")


PARTS: dict[str, Callable[[], None]] = {
    "start": start_up, "fleets": fleets, "applies": applies, "far": far, "memory": memory,
}  # fmt: skip


def main() -> None:
    """Print the tables of benchmarks/README.md, or those that are named."""
    # An installed program has its bytecode; here the warm-up writes it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if sys.argv[1:2] == ["capacity"]:
        capacity(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["probe"]:
        probing(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["expire"]:
        expiring(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["offsite"]:
        offsite(*sys.argv[2:])
        return
    load, cores = os.getloadavg()[0], os.cpu_count()
    print(f"Python {platform.python_version()}, {cores} cores, load {load:.1f}, median of {RUNS}")
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
