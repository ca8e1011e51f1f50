"""Which rows there are: each group is a function that measures and returns its rows."""

from collections.abc import Callable, Iterable

from emily_runtime.bench import (
    broadcast,
    choosing,
    counting,
    flagging,
    footprint,
    hypothesising,
    memory,
    nerves,
    serving,
    spending,
    thinking,
)
from emily_runtime.bench.row import Row

Group = Callable[[], Iterable[Row]]

GROUPS: tuple[tuple[tuple[str, ...], Group], ...] = (
    (("1", "10"), thinking.rows),
    (("2", "3", "4", "5", "11"), nerves.rows),
    (("6",), serving.rows),
    (("7",), choosing.rows),
    (("8", "9"), hypothesising.rows),
    (("12",), memory.rows),
    (("14",), flagging.rows),
    (("15",), spending.rows),
    (("16",), footprint.rows),
    (("17",), counting.rows),
    (("22",), broadcast.rows),
)
"""The numbers of a group's rows, without the letter behind, and the group."""
