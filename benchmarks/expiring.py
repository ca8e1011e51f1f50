"""Expiring half of many snapshots on a real pool: one destroy each, two programs, and ours."""

import json
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emily_infra.lab import Lab
from emily_infra.machine import CommandFailed, Machine, connect

DATASETS, SNAPSHOTS = 10, 10_000
RUNS = 3
_TREE = "expiring"
_FOLDER = "/run/emily-expiring"
_DEADLINE = 4 * 3600.0
_PATH = 'PATH="/run/current-system/sw/bin:$PATH"\n'
# Names have the shape that each program takes for its own; nobody waits for as many quarter hours,
# so that each is told in its own way that only the first half is old.
_GROW = """\
set -eu
tree=$1 datasets=$2 rounds=$3 shape=$4 suffix=$5
zfs create -o mountpoint=none "$tree"
for number in $(seq "$datasets"); do zfs create -o mountpoint=none "$tree/$number"; done
begin=$(date -u -d '2026-01-01 00:00:00' +%s)
for round in $(seq "$rounds"); do
  name=$(date -u -d "@$((begin + round))" +"$shape")$suffix
  set --
  for number in $(seq "$datasets"); do set -- "$@" "$tree/$number@$name"; done
  zfs snapshot -o org.emily-infra:policy=policy "$@"
done
"""
_ONE_EACH = """\
set -eu
for number in $(seq "$2"); do
  zfs list -H -o name -s createtxg -t snapshot -d 1 "$1/$number" | head -n "$3" |
    while read -r name; do zfs destroy "$name"; done
done
"""
_SANOID = """\
set -eu
sanoid --configdir="$4" --cache-dir="$4/cache" --run-dir="$4/run" --prune-snapshots --force-prune
"""
_AUTOBACKUP = """\
set -eu
zfs set autobackup:bench=true "$1"
zfs-autobackup --no-snapshot --keep-source="$3" bench
"""
_OURS = """\
set -eu
emily-infra backup --config "$4/host.json" expire --many
"""
_FELL = """\
for number in $(seq "$2"); do
  zfs list -H -o name -t snapshot -d 1 "$1/$number" | sed 's/.*@//' | xargs -n 100 | tr ' ' ',' |
    while read -r names; do [ -z "$names" ] || zfs destroy "$1/$number@$names"; done
  zfs destroy "$1/$number"
done
zfs destroy "$1"
rm -rf "$3"
"""
_OLD_ONES = """\
set -eu
for number in $(seq "$2"); do
  zfs list -Hp -o guid -s createtxg -t snapshot -d 1 "$1/$number"
done
"""


@dataclass(frozen=True)
class Way:
    """A way to expire the older half."""

    name: str
    program: str
    """That has to be on the machine."""
    shape: str
    suffix: str
    script: str


WAYS = (
    Way("one destroy each", "zfs", "bench-%Y%m%d%H%M%S", "", _ONE_EACH),
    Way("sanoid", "sanoid", "autosnap_%Y-%m-%d_%H:%M:%S", "_frequently", _SANOID),
    Way("zfs-autobackup", "zfs-autobackup", "bench-%Y%m%d%H%M%S", "", _AUTOBACKUP),
    Way("emily-infra backup expire", "emily-infra", "emily-%Y%m%dT%H%M%SZ", "", _OURS),
)


@dataclass(frozen=True)
class Bench:
    """A tree of datasets below a pool of a machine, each with as many snapshots."""

    machine: Machine
    pool: str
    datasets: int = DATASETS
    snapshots: int = SNAPSHOTS
    folder: str = _FOLDER
    kstat: str = "/proc/spl/kstat/zfs"

    @property
    def tree(self) -> str:
        """The dataset above them all."""
        return f"{self.pool}/{_TREE}"

    @property
    def half(self) -> int:
        """Of each dataset."""
        return self.snapshots // self.datasets // 2

    def sh(self, script: str, *words: object) -> str:
        """A script on the machine."""
        told = [str(word) for word in words]
        return self.machine.run("sh", "-s", "--", *told, stdin=_PATH + script, deadline=_DEADLINE)

    def has(self, program: str) -> bool:
        """Whether the machine has a program."""
        try:
            self.sh('command -v "$1"', program)
        except CommandFailed:
            return False
        return True

    def left(self) -> int:
        """How many snapshots there are now."""
        return int(self.sh('zfs list -H -o name -t snapshot -r "$1" | wc -l', self.tree))

    def seconds(self, way: Way) -> float:
        """What expiring takes; half of all must be left, and all goes in the end."""
        self.sh(_GROW, self.tree, self.datasets, 2 * self.half, way.shape, way.suffix)
        try:
            self._prepare()
            self.sh('zpool sync "$1"', self.pool)
            begin = time.monotonic()
            self.sh(way.script, self.tree, self.datasets, self.half, self.folder)
            took = time.monotonic() - begin
            assert self.left() == self.half * self.datasets, f"{way.name} left {self.left()}"
        finally:
            self.sh(_FELL, self.tree, self.datasets, self.folder)
        return took

    def _prepare(self) -> None:
        """What sanoid and ours are told; ours gets the ages by what it knows of wrong clocks."""
        names = [f"{self.tree}/{number + 1}" for number in range(self.datasets)]
        guids = self.sh(_OLD_ONES, self.tree, self.datasets).split()
        files = {
            "host.json": json.dumps(_host(names, self)),
            "state/clock.json": json.dumps({"dated": dict(_dated(guids, 2 * self.half))}),
            "sanoid.conf": "".join(_sanoid(names, self.half)),
        }
        for name, text in files.items():
            self.sh(
                f'mkdir -p "$1/state" && cat >"$1/{name}" <<\'END\'\n{text}\nEND\n', self.folder
            )


def _host(names: Iterable[str], bench: Bench) -> dict[str, object]:
    places = ("cache", "locks", "metrics", "source", "state")
    folders = {place: f"{bench.folder}/{place}" for place in places}
    return {
        "version": 2, "host": "bench", "host_id": "00000000",
        "paths": {**folders, "kstat": bench.kstat},
        "datasets": {name: {"policy": "half"} for name in names},
        "policies": {"half": {"frequent": bench.half}},
    }  # fmt: skip


def _dated(guids: Sequence[str], each: int) -> Iterable[tuple[str, str]]:
    for number, guid in enumerate(guids):
        quarter = number % each
        day, rest = divmod(quarter, 96)
        yield guid, f"2026-01-{day + 1:02d}T{rest // 4:02d}:{rest % 4 * 15:02d}:00+00:00"


def _sanoid(names: Iterable[str], count: int) -> Iterable[str]:
    for name in names:
        yield f"[{name}]\nuse_template = half\n"
    # A period of no length: all is old, and the count alone decides.
    yield "[template_half]\nautosnap = no\nautoprune = yes\nhourly = 0\ndaily = 0\nmonthly = 0\n"
    yield f"frequently = {count}\nfrequent_period = 0\n"


def expiring(host: str, pool: str) -> None:
    """Print what each way takes on a pool of the host's lab, in turn."""
    machine = connect(Lab(host).console(), deadline=60)
    try:
        report(Bench(machine, pool))
    finally:
        machine.close()


def report(bench: Bench, runs: int = RUNS) -> None:
    """The ways that are there, RUNS times in turn; the figure is the median."""
    there = [way for way in WAYS if bench.has(way.program)]
    for way in WAYS:
        if way not in there:
            print(f"{way.program} is not on {bench.machine.name}: left out")
    times: dict[str, list[float]] = {way.name: [] for way in there}
    for _ in range(runs):
        for way in there:
            times[way.name].append(bench.seconds(way))
    base = statistics.median(times[WAYS[-1].name]) if WAYS[-1] in there else 0.0
    count = bench.half * bench.datasets
    print(f"\n| expiring {count} of {2 * count} | median | least | most | times ours |")
    print("| --- | --- | --- | --- | --- |")
    for name, took in times.items():
        middle = statistics.median(took)
        ratio = f"{middle / base:.1f}" if base else "-"
        print(f"| {name} | {middle:.1f} s | {min(took):.1f} s | {max(took):.1f} s | {ratio} |")
