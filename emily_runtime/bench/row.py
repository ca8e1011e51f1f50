"""One line of the benchmark: two things measured in turn, their ratio, and their goal."""

import gc
import os
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple, Protocol

REPEATS = 7
NOT_RUN = "not run"


class Row(NamedTuple):
    """What is printed of one benchmark; every figure is text with its unit."""

    number: str
    """As section 8 of the research numbers it, such as 8a."""
    what: str
    ours: str
    peer: str
    """What stands beside it in the same run, or NOT_RUN."""
    ratio: str
    goal: str
    held: bool | None
    """None where it was not run, or where the machine was too busy for a wall clock."""


class Ratio(NamedTuple):
    """The peer's time over ours: how many times faster we are."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.least:.3g} to {self.most:.3g})"

    def reaches(self, goal: float) -> bool:
        """A goal is missed only where all of the interval misses it."""
        return self.most >= goal


class Timed(Protocol):
    """Work that is done, and timed, in another process."""

    def seconds(self) -> float:
        """Of the processor, for doing it once."""


Work = Callable[[], object] | Timed


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of one call, with no garbage collection within it."""
    gc.collect()
    gc.disable()
    try:
        begin = time.process_time()
        work()
        return time.process_time() - begin
    finally:
        gc.enable()


def in_turn(works: Mapping[str, Work], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Processor times of each, REPEATS times in turn after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(repeats + 1):
        for name, work in works.items():
            took = cpu_seconds(work) if callable(work) else work.seconds()
            if number:
                times[name].append(took)
    return times


def ratio(peer: list[float], ours: list[float]) -> Ratio:
    """Of times taken in turn, pair by pair."""
    pairs = [theirs / mine for theirs, mine in zip(peer, ours, strict=True)]
    return Ratio(median(pairs), min(pairs), max(pairs))


def by_the_clock(*, held: bool) -> bool | None:
    """Whether a goal of the wall clock is held; one missed on a busy machine is no verdict."""
    is_busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    return None if is_busy and not held else held


def not_run(number: str, what: str, goal: str, why: str) -> Row:
    """The line of a benchmark whose peer is absent: never a figure of another day."""
    return Row(number, what, NOT_RUN, why, NOT_RUN, goal, None)
