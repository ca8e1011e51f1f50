"""What is put down of a run, so that it can be run again: each input, and a digest of the state.

Every record is published on the bus under its own topic. Floats keep all of their digits in JSON,
so the same inputs lead to the same bits, given the same build of NumPy.
"""

import hashlib
from typing import Any

import numpy as np
from msgspec import Struct

from emily_runtime.mind.body import Measures
from emily_runtime.mind.cycle import Deed, Heard, Instant, Mind
from emily_runtime.mind.stimulus import Recalled
from emily_runtime.tiers.workspace import Entry

BEGUN, RELOADED = "mind.begun", "mind.reloaded"
HEARD, REMINDED, CYCLED, DONE = "mind.heard", "mind.reminded", "mind.cycled", "mind.done"


class Habits(Struct, frozen=True):
    """What outlives a run: where the levels rest, and what is expected of each hour."""

    setpoint: tuple[float, ...]
    """(5,)"""
    forecast: tuple[tuple[float, ...], ...]
    """(24, 5)"""

    @classmethod
    def of(cls, mind: Mind) -> "Habits":
        """Those of a mind."""
        setpoint, means = mind.body.levels.setpoint, mind.body.forecast.means
        return cls(tuple(setpoint.tolist()), tuple(map(tuple, means.tolist())))


class Begun(Struct, frozen=True):
    """The start of a run."""

    version: str
    config: dict[str, Any]
    """The sections, as they would stand in the file."""
    habits: "Habits"
    digest: str


class Reloaded(Struct, frozen=True):
    """Other settings from here on."""

    config: dict[str, Any]
    digest: str


class HeardRecord(Struct, frozen=True):
    """A stimulus that no reflex answered."""

    heard: Heard
    now: Instant
    digest: str


class RemindedRecord(Struct, frozen=True):
    """What memory brought."""

    recalled: tuple[Recalled, ...]
    time: float
    digest: str


class CycledRecord(Struct, frozen=True):
    """The end of a cycle."""

    measures: Measures
    now: Instant
    digest: str


class DoneRecord(Struct, frozen=True):
    """What came of an action."""

    deed: Deed
    digest: str


KINDS: dict[str, type[Struct]] = {
    BEGUN: Begun,
    RELOADED: Reloaded,
    HEARD: HeardRecord,
    REMINDED: RemindedRecord,
    CYCLED: CycledRecord,
    DONE: DoneRecord,
}
"""The type of each topic's records."""


def digest(mind: Mind) -> str:
    """32 hexadecimal digits over every bit of the state."""
    body = mind.body
    arrays = (mind.belief, body.levels.process, body.levels.setpoint, body.forecast.means)
    sums = hashlib.blake2b(digest_size=16)
    for array in arrays:
        sums.update(np.ascontiguousarray(array).tobytes())
    space = mind.workspace
    rest = (
        (
            mind.rhythm,
            body.tick,
            mind.echo,
            mind.arrived,
            mind.looked,
            mind.is_reminded,
            mind.owed,
            mind.waiting,
        ),
        (space.cycle, space.newest, _entries(space.ignited), _entries(space.preconscious)),
        sorted(space.habits.items()),
    )
    sums.update(repr(rest).encode())
    return sums.hexdigest()


def _entries(entries: tuple[Entry, ...]) -> list[tuple[int, float, int]]:
    return [(entry.item.sequence, entry.salience, entry.waited) for entry in entries]
