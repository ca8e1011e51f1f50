"""A whole `backup offsite` beside `restic` alone, over the same files.

ZFS is that of the tests (tests/backup/world): plain folders, and a small program for each call,
which is no quicker than the real one. restic, its repository and the files are real.
"""

import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.memory import peaks
from emily_infra.backup import ledger
from tests.backup.world import World
from tests.backup.world.programs.state import changing

GIB = 1 << 30
SIZES = (1, 5)
MANY = 200_000
ROUNDS = 3
_PIECE = 8 << 20
_FOLDER = 1000
"""Files in a folder, where there are many."""
DATASET = "tank/home"


@dataclass
class Times:
    """Seconds by the clock, seconds of processors, and the largest memory of our own process."""

    clock: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    memory: int = 0


@contextmanager
def host() -> Iterator[World]:
    """A host with one dataset and a repository without copies, which can be put back."""
    folder = Path(tempfile.mkdtemp(prefix="emily-infra-offsite."))
    datasets = {DATASET: {"policy": "daily", "repositories": ["shed"]}}
    world = World(folder).start(datasets=datasets)
    try:
        command(world, "init")
        shutil.copytree(folder / "repositories/shed", folder / "empty")
        yield world
    finally:
        world.close()
        shutil.rmtree(folder)


def whole(sizes: tuple[int, ...]) -> None:
    """First copies of so many GiB of random bytes, and of next to nothing: the fixed cost."""
    head("first copy of")
    for size in (0, *sizes):
        with host() as world:
            fill(world, size)
            world.take(DATASET)
            alone, ours = beside(world, afresh)
        print(row(f"{size} GiB" if size else "1 file", alone, ours))


def again(count: int) -> None:
    """Copies of many files of which none has changed, the live path beside a snapshot."""
    head("unchanged files")
    with host() as world:
        scatter(world.mountpoint(DATASET), count)
        world.take(DATASET)
        live = str(world.mountpoint(DATASET))
        command(world, "backup", "--quiet", "--host", "live", live)
        assert world.run("offsite", "shed", deadline=36000).code == 0
        alone, ours = beside(world, unchanged)
    print(row(f"{count}", alone, ours))


def beside(world: World, before: Callable[[World], None]) -> tuple[Times, Times]:
    """Both in turn, each after BEFORE."""
    alone, ours = Times(), Times()
    live = str(world.mountpoint(DATASET))
    for _ in range(ROUNDS):
        before(world)
        with measured(alone):
            command(world, "backup", "--quiet", "--host", "live", live)
        before(world)
        with measured(ours):
            argv = ("emily-infra", "backup", "--config", str(world.config), "offsite", "shed")
            done = peaks(
                (str(world.root / "bin" / argv[0]), *argv[1:]), world.root, world.environment
            )
            assert done.code == 0, done.output
        ours.memory = max(ours.memory, done.own)
    return alone, ours


@contextmanager
def measured(times: Times) -> Iterator[None]:
    """What passes in the block, by the clock and on the processors."""
    begin, before = time.perf_counter(), _work()
    yield
    times.clock.append(time.perf_counter() - begin)
    times.work.append(_work() - before)


def _work() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def head(name: str) -> None:
    """The head of a table."""
    columns = ("restic", "`offsite`", "more", "restic, work", "`offsite`, work", "more", "memory")
    print(f"\n| {' | '.join((name, *columns))} |")
    print(f"|{' --- |' * (1 + len(columns))}")


def row(name: str, alone: Times, ours: Times) -> str:
    """A line of a table."""
    clock = _more(statistics.median(alone.clock), statistics.median(ours.clock))
    work = _more(statistics.median(alone.work), statistics.median(ours.work))
    return f"| {name} | {clock} | {work} | {ours.memory / 1e6:.0f} MB |"


def _more(alone: float, ours: float) -> str:
    more = ours - alone
    return f"{alone:.2f} s | {ours:.2f} s | {more:+.2f} s, {100 * more / alone:+.1f} %"


def fill(world: World, size: int) -> None:
    """Random bytes, in files of 8 MiB."""
    world.write(DATASET, "small", b"1")
    for number in range(size * GIB // _PIECE):
        world.write(DATASET, f"{number % 16}/{number}", os.urandom(_PIECE))


def scatter(top: Path, count: int) -> None:
    """Small files, a thousand to a folder."""
    for number in range(count):
        folder = top / str(number // _FOLDER)
        if number % _FOLDER == 0:
            folder.mkdir()
        (folder / str(number)).write_bytes(b"%d\n" % number)


def afresh(world: World) -> None:
    """A repository without copies, which is known as on any day but the first."""
    for name in ("repositories", "cache"):
        shutil.rmtree(world.root / name, ignore_errors=True)
    shutil.copytree(world.root / "empty", world.root / "repositories/shed")
    ledger.save(world.here(), "shed", ledger.Ledger(last=world.now()))


def unchanged(world: World) -> None:
    """Another snapshot of the same files; copied, they would have other numbers than on ZFS."""
    old = world.snapshots(DATASET)[-1]
    world.later(hours=1)
    new = world.now().strftime("emily-%Y%m%dT%H%M%SZ")
    with changing(world.folder) as state:
        taken = state.datasets[DATASET].snapshots
        moment = {"guid": taken[old].guid + 1, "createtxg": state.next_txg()}
        moment["creation"] = int(world.now().timestamp())
        taken[new] = type(taken[old])(**{**vars(taken[old]), **moment})


def command(world: World, *argv: str) -> None:
    """restic, as a person would call it."""
    words = (
        "-r",
        str(world.root / "repositories/shed"),
        "--cache-dir",
        str(world.root / "cache/own"),
    )
    password = ("--password-file", str(world.root / "secrets/restic"))
    done = world.program("restic", *words, *password, *argv, deadline=36000)
    assert done.code == 0, done.err


def offsite(*words: str) -> None:
    """`python -m benchmarks offsite [FILES]`: FILES are those of the second table."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, median of {ROUNDS}")
    whole(SIZES)
    again(int(words[0]) if words else MANY)
