"""Which rows there are: each group is a function that measures and returns its rows."""

from collections.abc import Callable, Iterable

from emily_runtime.bench import flagging, memory, spending
from emily_runtime.bench.row import Row

Group = Callable[[], Iterable[Row]]

GROUPS: tuple[tuple[tuple[str, ...], Group], ...] = (
    (("12",), memory.rows),
    (("14a", "14b"), flagging.rows),
    (("15",), spending.rows),
)
"""The numbers of a group's rows, and the group."""
