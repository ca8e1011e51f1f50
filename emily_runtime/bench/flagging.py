"""Row 14: how fast a flag is asked, and whether five processes agree about it."""

import multiprocessing
from collections.abc import Callable, Iterable
from datetime import date
from importlib import import_module
from typing import Any

from emily_runtime.bench.row import Row, in_turn, not_run, ratio
from emily_runtime.flags.flag import BUCKETS, Flag, bucket, prefix
from emily_runtime.flags.flags import Flags

GOAL = 8.0
PROCESSES = 5
IDS = tuple(f"id-{number}" for number in range(5_000))
FLAG = Flag("recall", 2_500, owner="bench", since=date(2026, 11, 22))


def rows() -> Iterable[Row]:
    """Speed and stickiness."""
    return [_speed(), _stickiness()]


def _speed() -> Row:
    what, goal = "a flag is asked", f"{GOAL:g} times as fast as OpenFeature in memory"
    try:
        peer = _open_feature()
    except ImportError:
        return not_run("14a", what, goal, "openfeature-sdk is not installed")
    flags = Flags([FLAG])

    def ours() -> None:
        for identity in IDS:
            flags.is_on("recall", identity)

    took = in_turn({"ours": ours, "peer": peer})
    times = ratio(took["peer"], took["ours"])
    each = {name: f"{min(seconds) / len(IDS) * 1e6:.2f} us" for name, seconds in took.items()}
    return Row("14a", what, each["ours"], each["peer"], str(times), goal, times.reaches(GOAL))


def _open_feature() -> Callable[[], None]:
    """The same questions to OpenFeature's provider in memory, which knows no shares at all."""
    memory: Any = import_module("openfeature.provider.in_memory_provider")
    context: Any = import_module("openfeature.evaluation_context").EvaluationContext
    api: Any = import_module("openfeature.api")
    flag = memory.InMemoryFlag("on", {"on": True, "off": False})
    api.set_provider(memory.InMemoryProvider({"recall": flag}))
    client = api.get_client()

    def ask() -> None:
        for identity in IDS:
            client.get_boolean_value(
                "recall", default_value=False, evaluation_context=context(identity)
            )

    return ask


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
