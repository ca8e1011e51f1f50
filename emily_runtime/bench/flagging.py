"""Row 14: how fast a flag is asked, and whether five processes agree about it."""

import multiprocessing
from collections.abc import Iterable
from datetime import date
from statistics import median

from emily_runtime.bench.peers.peer import Absent, Around, peer
from emily_runtime.bench.row import Row, in_turn, not_run, ratio
from emily_runtime.flags.flag import BUCKETS, Flag, bucket, prefix
from emily_runtime.flags.flags import Flags

GOAL = 8.0
PROCESSES = 5
IDS = tuple(f"id-{number}" for number in range(5_000))
FLAG = Flag("recall", 2_500, owner="bench", since=date(2026, 11, 22))


def rows(around: Around) -> Iterable[Row]:
    """Speed and stickiness."""
    return [_speed(around), _stickiness()]


def _speed(around: Around) -> Row:
    what, goal = "a flag is asked", f"{GOAL:g} times as fast as OpenFeature in memory"
    flags = Flags([FLAG])

    def ours() -> None:
        for identity in IDS:
            flags.is_on("recall", identity)

    with peer(around, "by_open_feature", identities=len(IDS)) as theirs:
        if isinstance(theirs, Absent):
            return not_run("14a", what, goal, theirs.why)
        took = in_turn({"ours": ours, "peer": theirs})
    times = ratio(took["peer"], took["ours"])
    mine, other = (f"{median(seconds) / len(IDS) * 1e6:.2f} µs" for seconds in took.values())
    peer_told = f"{other}, {theirs.version}"
    return Row("14a", what, mine, peer_told, str(times), goal, times.reaches(GOAL))


def _stickiness() -> Row:
    fresh = multiprocessing.get_context("spawn")
    with fresh.Pool(PROCESSES, maxtasksperchild=1) as pool:
        said = pool.map(_where, range(PROCESSES), chunksize=1)
    ours, peer = (_agreed([one[at] for one in said]) for at in (0, 1))
    what = f"{len(IDS):,} identities fall alike in {PROCESSES} processes"
    names = (f"{ours:.1%}", f"{peer:.1%} by the built-in hash")
    return Row("14b", what, *names, f"{ours - peer:+.1%}", "100 %", ours == 1.0)


def _where(_: int) -> tuple[list[int], list[int]]:
    before = prefix(FLAG.name)
    return [bucket(before, one) for one in IDS], [hash(("recall", one)) % BUCKETS for one in IDS]


def _agreed(said: list[list[int]]) -> float:
    return sum(len(set(buckets)) == 1 for buckets in zip(*said, strict=True)) / len(IDS)
