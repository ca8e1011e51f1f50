"""Stages that follow one another, compiled to one loop over a batch."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

Stage = Callable[[Any], Any]
Fused = Callable[[Iterable[Any], Callable[[Any], object]], None]
"""Takes an iterator and a function that gets every result.

Where a stage raises, the iterator stands behind the item it raised for: called again with the same
iterator, it goes on with the next one.
"""


class Carries(StrEnum):
    """What runs through the loop."""

    ITEMS = "items"
    """Bare values."""
    MESSAGES = "messages"
    """A message's payload goes in; the results are (payload, trace)."""


def fused(stages: Sequence[Stage], carries: Carries = Carries.ITEMS) -> Fused:
    """The stages as one function; where one returns None, the item goes no further."""
    return cast(Fused, _binder(len(stages), carries)(*stages))


def source(number: int, carries: Carries) -> str:
    """The generated Python for so many stages."""
    names = [f"stage_{place}" for place in range(number)]
    start, result = ("item.payload", "(value, item.trace)")
    if carries is Carries.ITEMS:
        start, result = ("item", "value")
    calls = [f"(value := {name}({'value' if at else start})) is not None"
             for at, name in enumerate(names)]  # fmt: skip
    return (
        f"def bind({', '.join(names)}):\n"
        "    def fused(batch, emit):\n"
        "        for item in batch:\n"
        f"            if {' and '.join(calls)}:\n"
        f"                emit({result})\n"
        "    return fused\n"
    )


@lru_cache(maxsize=64)
def _binder(number: int, carries: Carries) -> Callable[..., object]:
    names: dict[str, Any] = {}
    code = compile(source(number, carries), f"<{number} fused stages>", "exec")
    exec(code, names)  # noqa: S102 - made of numbers only; no name that anybody gave is in it
    return cast(Callable[..., object], names["bind"])
