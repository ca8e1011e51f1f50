"""One look at a pool of many datasets and snapshots: what it takes, and that it does not grow."""

import statistics
import time
from dataclasses import dataclass, field

from emily_infra.lab import Lab
from emily_infra.machine import Machine, connect
from emily_infra.observe import Question, observe

DATASETS, SNAPSHOTS = 500, 10_000
LOOKS = 7
PATIENCE = 600
"""Seconds that the machine's programs get: what a look takes is to be seen, not cut off."""
_TREE = "many"
_DEADLINE = 900.0
# A program for each of 500 datasets would take minutes on an emulated processor; the snapshots of a
# whole tree are one transaction.
_GROW = """\
set -eu
pool=$1 tree=$1/$2 datasets=$3 rounds=$4
zfs list "$tree" >/dev/null 2>&1 || python3 - "$tree" "$datasets" <<'END'
import ctypes, glob, sys
tree, datasets = sys.argv[1], int(sys.argv[2])
core = ctypes.CDLL(sorted(glob.glob("/lib/x86_64-linux-gnu/libzfs_core.so.*"))[0])
assert core.libzfs_core_init() == 0
for name in (tree, *(f"{tree}/{number}" for number in range(1, datasets))):
    assert core.lzc_create(name.encode(), 2, None, None, 0) == 0, name  # 2: a file system
END
# As they are on a host: the kernel opens one that nobody has mounted for each question about it.
grep -q "^$tree " /proc/mounts || zfs list -H -o name -r "$tree" | while read -r name; do
  mkdir -p "/run/$name"
  mount -t zfs -o zfsutil "$name" "/run/$name"
done
there=$(zfs list -H -o name -t snapshot -d 1 "$tree" | wc -l)
while [ "$there" -lt "$rounds" ]; do
  there=$((there + 1))
  zfs snapshot -r "$tree@$there"
done
zpool sync "$pool"
"""


@dataclass
class Looked:
    """What one look took."""

    commands: int
    seconds: float
    length: int
    """Bytes of the answer."""
    datasets: int
    snapshots: int


@dataclass
class _Counting:
    """A machine that keeps what it has answered."""

    machine: Machine
    answers: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.machine.name

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        self.answers.append(self.machine.run(*argv, stdin=stdin, deadline=deadline))
        return self.answers[-1]

    def close(self) -> None:
        self.machine.close()


def grown(machine: Machine, pool: str, datasets: int, snapshots: int) -> None:
    """So many more datasets in the pool, and snapshots of them in all; what is there stays."""
    words = (pool, _TREE, str(datasets), str(snapshots // datasets))
    machine.run("sh", "-s", "--", *words, stdin=_GROW, deadline=_DEADLINE)


def felled(machine: Machine, pool: str) -> None:
    """All of them away again, by the way by which they were mounted."""
    machine.run("zfs", "destroy", "-r", f"{pool}/{_TREE}", deadline=_DEADLINE)


def look_at(machine: Machine) -> Looked:
    """One look, counted and timed."""
    counting = _Counting(machine)
    began = time.monotonic()
    seen = observe(counting, Question(patience=PATIENCE))
    seconds = time.monotonic() - began
    assert not seen.gaps, seen.gaps
    snapshots = machine.run("sh", stdin="zfs list -H -o name -t snapshot | wc -l", deadline=120)
    return Looked(len(counting.answers), seconds, sum(map(len, counting.answers)),
                  sum(len(pool.datasets) for pool in seen.pools), int(snapshots))  # fmt: skip


def probing(host: str, pool: str) -> None:
    """Print what looks at a pool of the lab take, without snapshots and with many."""
    machine = connect(Lab(host).console(), deadline=60)
    print("\n| datasets | snapshots | commands | answer | median | least | most |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    try:
        for snapshots in (0, SNAPSHOTS):
            grown(machine, pool, DATASETS, snapshots)
            looks = [look_at(machine) for _ in range(LOOKS)]
            times = [each.seconds for each in looks]
            last = looks[-1]
            print(
                f"| {last.datasets} | {last.snapshots} | {last.commands} | {last.length:,} B | "
                f"{statistics.median(times):.2f} s | {min(times):.2f} s | {max(times):.2f} s |"
            )
        felled(machine, pool)
    finally:
        machine.close()
