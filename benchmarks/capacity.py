"""Real pools against the forecast: to the byte when empty, and within 2 % when written to.

They are made of sparse files in the memory of a lab's machine, and gone afterwards.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.pools import CASES, FILLED, Case
from emily_infra.lab import Lab
from emily_infra.machine import Machine, connect
from emily_infra.zfs.special import metadata_share

POOL = "emily-capacity"
RECORDS = tuple(kib << 10 for kib in (4, 8, 16, 128, 1024))
WRITTEN = 32 << 20
"""Bytes of random data for each recordsize."""
TOLERANCE = 0.02
_DEADLINE = 900.0
_SHELL = ("nsenter", "--target=1", "--mount", "sh")
"""Where the kernel's own threads, which open the disks of a pool, see what is mounted."""
_HEAD = f"""\
set -u
modprobe zfs
dir=$(mktemp -d /run/capacity.XXXXXX)
mount -t tmpfs -o size=1300m capacity "$dir" || exit 1
clear() {{
  zpool destroy -f {POOL} 2>/dev/null
  rm -f "$dir"/*.disk
}}
trap 'clear; umount "$dir" && rmdir "$dir"' EXIT
trap 'exit 1' HUP INT TERM
create() {{
  number=$1
  shift
  said=$(zpool create -f -o cachefile=none -O mountpoint=none -O canmount=off "$@" 2>&1) && return
  printf 'failed\\t%s\\t%s\\n' "$number" "$(printf %s "$said" | tr '\\t\\n' '  ')"
  return 1
}}
measure() {{
  zpool sync {POOL}
  zpool list -vHp {POOL} | sed "s/^/vdev\\t$1\\t/"
  printf 'space\\t%s\\t%s\\n' "$1" "$(zfs list -Hpo used,available {POOL})"
}}
used() {{
  zpool sync {POOL}
  zfs get -Hpo value used "{POOL}/$1"
}}
fill() {{
  zfs create -o canmount=on -o "mountpoint=$dir/$2" -o "recordsize=$2" {POOL}/"$2"
  before=$(used "$2")
  cp "$dir/random" "$dir/$2/file"
  printf 'filled\\t%s\\t%s\\t%s\\n' "$1" "$2" "$(($(used "$2") - before))"
}}
"""


@dataclass(frozen=True)
class Empty:
    """What ZFS says of a pool that was just created."""

    case: Case
    size: int = 0
    available: int = 0
    """With what the pool itself has used; without what lies on special, which comes on top."""
    trouble: str = ""

    @property
    def exact(self) -> bool:
        """Whether every byte was foretold."""
        forecast = self.case.forecast
        return (self.size, self.available) == (forecast.size, forecast.available)


@dataclass(frozen=True)
class Filled:
    """What random data takes in records of one size."""

    case: Case
    record: int
    used: int

    @property
    def forecast(self) -> int:
        """What we say that it takes."""
        records = self.case.forecast.tops[0].charged(self.record) * (WRITTEN // self.record)
        share = metadata_share(self.record)
        return records + WRITTEN * (share.low + share.high) // 2 // 10**6

    @property
    def off(self) -> float:
        """How much more it took, as a share."""
        return self.used / self.forecast - 1


def empty(machine: Machine, cases: Sequence[Case] = CASES) -> list[Empty]:
    """Create every pool, and read what it holds; one command."""
    program = _HEAD + "".join(_creating(number, case) for number, case in enumerate(cases))
    answer = machine.run(*_SHELL, stdin=program, deadline=_DEADLINE)
    return [_read(case, answer, str(number)) for number, case in enumerate(cases)]


def filled(machine: Machine, cases: Sequence[Case] = FILLED) -> list[Filled]:
    """Write random data in records of every size, and read what it takes; one command."""
    random = f'head -c {WRITTEN} /dev/urandom >"$dir/random"\n'
    program = _HEAD + random + "".join(_filling(n, case) for n, case in enumerate(cases))
    answer = machine.run(*_SHELL, stdin=program, deadline=_DEADLINE)
    return [
        Filled(cases[int(number)], int(record), int(used))
        for number, record, used in _lines(answer, "filled")
    ]


def _creating(number: int, case: Case) -> str:
    return f"{_disks(case)}{_create(number, case)} && measure {number}\nclear\n"


def _filling(number: int, case: Case) -> str:
    sizes = " ".join(map(str, RECORDS))
    writing = f"for record in {sizes}; do fill {number} $record; done"
    cache = "-O primarycache=metadata"
    return f"{_disks(case)}{_create(number, case, cache)} && {writing}\nclear\n"


def _disks(case: Case) -> str:
    count = case.count * case.layout.width
    files = " ".join(f'"$dir/{index}.disk"' for index in range(count))
    lines = [f"truncate -s {case.disk} {files}"]
    if case.special:
        lines.append(f'truncate -s {case.special} "$dir/s0.disk" "$dir/s1.disk"')
    return "".join(f"{line}\n" for line in lines)


def _create(number: int, case: Case, options: str = "") -> str:
    width = case.layout.width
    words = [f"create {number} -o ashift={case.layout.ashift} {options} {POOL}"]
    for vdev in range(case.count):
        disks = range(vdev * width, (vdev + 1) * width)
        files = " ".join(f'"$dir/{index}.disk"' for index in disks)
        words.append(f"{shlex.quote(case.words) if case.words else ''} {files}")
    if case.special:
        words.append('special mirror "$dir/s0.disk" "$dir/s1.disk"')
    return " ".join(words)


def _read(case: Case, answer: str, number: str) -> Empty:
    for _, *said in _of(answer, "failed", number):
        return Empty(case, trouble=" ".join(said))
    rows = _vdevs(answer, number)
    spaces = list(_of(answer, "space", number))
    if POOL not in rows or not spaces:
        return Empty(case, trouble="no answer")
    used, available = map(int, spaces[0][1:])
    on_special = int(rows[f"mirror-{case.count}"][1]) if case.special else 0
    return Empty(case, int(rows[POOL][0]), used + available - on_special)


def _vdevs(answer: str, number: str) -> dict[str, list[str]]:
    """The numbers of the pool and its vdevs by name; only the pool's stands without a tab."""
    found = ([field for field in fields if field] for _, *fields in _of(answer, "vdev", number))
    return {name: values for name, *values in found}


def _of(answer: str, kind: str, number: str) -> Iterator[list[str]]:
    return (fields for fields in _lines(answer, kind) if fields[0] == number)


def _lines(answer: str, kind: str) -> Iterator[list[str]]:
    for line in answer.splitlines():
        first, *fields = line.split("\t")
        if first == kind:
            yield fields


def capacity(host: str) -> None:
    """Print what real pools say, and how far from it the forecast is."""
    machine = connect(Lab(host).console(), deadline=60)
    try:
        print("\n".join(as_table(empty(machine), filled(machine))))
    finally:
        machine.close()


def as_table(pools: Sequence[Empty], fills: Sequence[Filled]) -> Iterator[str]:
    """Both results as markdown."""
    yield "\n| pool | disks | ashift | size | available + used | forecast off by |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for pool in pools:
        case, forecast = pool.case, pool.case.forecast
        off = forecast.available - pool.available, forecast.size - pool.size
        verdict = pool.trouble or " and ".join(f"{by:,} B" for by in dict.fromkeys(off))
        yield (
            f"| {case.name} | {case.size_of_a_disk} | {case.layout.ashift} | {pool.size:,} | "
            f"{pool.available:,} | {verdict} |"
        )
    right = sum(pool.exact for pool in pools)
    yield f"\n{right} of {len(pools)} pools to the byte.\n"
    yield f"| {WRITTEN >> 20} MiB of random data on | records | used | forecast | off by |"
    yield "| --- | --- | --- | --- | --- |"
    for fill in fills:
        yield (
            f"| {fill.case.name}, ashift {fill.case.layout.ashift} | {fill.record >> 10} KiB | "
            f"{fill.used:,} | {fill.forecast:,} | {fill.off:+.2%} |"
        )
