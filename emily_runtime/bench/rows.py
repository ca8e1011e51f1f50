"""Which rows there are: each group is a function that measures and returns its rows."""

from collections.abc import Callable, Iterable

from emily_runtime.bench import (
    broadcast,
    choosing,
    counting,
    flagging,
    footprint,
    hypothesising,
    levels,
    memory,
    nerves,
    postgres,
    serving,
    soaking,
    spending,
    thinking,
)
from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.row import Row

Group = Callable[[Around], Iterable[Row]]

GROUPS: tuple[tuple[tuple[str, ...], Group], ...] = (
    (("1", "10"), lambda _: thinking.rows()),
    (("2", "3", "4", "5", "11"), nerves.rows),
    (("6",), serving.rows),
    (("7",), choosing.rows),
    (("8", "9"), hypothesising.rows),
    (("12",), memory.rows),
    (("13",), postgres.rows),
    (("14",), flagging.rows),
    (("15",), lambda _: spending.rows()),
    (("16",), footprint.rows),
    (("17",), lambda _: counting.rows()),
    (("19",), levels.rows),
    (("22",), lambda _: broadcast.rows()),
    (("24",), soaking.rows),
)
"""The numbers of a group's rows, without the letter behind, and the group."""
