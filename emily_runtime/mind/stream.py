"""The running mind: the one holder of its state, moved by the pure cycle and put on record."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

from emily_runtime import __version__
from emily_runtime.config import Config
from emily_runtime.mind import records
from emily_runtime.mind.body import Measures
from emily_runtime.mind.composing import awake, plain, settings
from emily_runtime.mind.cycle import (
    Arrival,
    Deed,
    Heard,
    Instant,
    Mind,
    Thought,
    arrive,
    compete,
    conclude,
    remind,
    settle,
)
from emily_runtime.mind.records import Habits
from emily_runtime.mind.settings import Settings
from emily_runtime.mind.stimulus import Recalled
from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.clock import Clock

NANOSECONDS = 1_000_000_000


class Turn(NamedTuple):
    """A cycle that is over, with the state after it."""

    number: int
    thought: Thought
    mind: Mind
    seed: int
    seconds: float = 0.0
    """What tier 3 took."""


@dataclass
class Stream:
    """One mind on one bus; single-threaded, like the loop that it lives on."""

    config: Config
    bus: Bus
    clock: Clock
    seed: int = 0
    habits: Habits | None = None
    """Of the run before."""
    settings: Settings = field(init=False)
    mind: Mind = field(init=False)
    last: Turn | None = None
    """The last cycle that had a choice."""
    _drawn: int = 0
    _waiting: list["asyncio.Future[Turn]"] = field(default_factory=list)
    _origin: int = field(init=False)

    def __post_init__(self) -> None:
        self.settings = settings(self.config)
        self.mind = awake(self.settings, self.habits)
        self._origin = self.clock.monotonic_ns()

    def begin(self) -> None:
        """Put down where the run starts from."""
        record = records.Begun(
            __version__, plain(self.config), Habits.of(self.mind), records.digest(self.mind)
        )
        self.bus.publish(records.BEGUN, record)

    def reload(self, config: Config) -> None:
        """Go on with other settings."""
        self.config, self.settings = config, settings(config)
        record = records.Reloaded(plain(config), records.digest(self.mind))
        self.bus.publish(records.RELOADED, record)

    def now(self) -> float:
        """Seconds since the run began."""
        return (self.clock.monotonic_ns() - self._origin) / NANOSECONDS

    def hear(self, heard: Heard) -> Arrival:
        """Let a stimulus through the gate; it competes at the next beat."""
        now = self._instant()
        self.mind, arrival = arrive(self.settings, self.mind, heard, now)
        record = records.HeardRecord(heard, now, records.digest(self.mind))
        self.bus.publish(records.HEARD, record, heard.trace)
        return arrival

    def remind(self, recalled: Sequence[Recalled]) -> None:
        """Let what memory brought through the gate."""
        time = self.now()
        self.mind = remind(self.settings, self.mind, recalled, time)
        record = records.RemindedRecord(tuple(recalled), time, records.digest(self.mind))
        self.bus.publish(records.REMINDED, record)

    def beat(self, measures: Measures) -> Turn:
        """End a cycle, and tell everybody who waits for it."""
        now = self._instant()
        scene = compete(self.settings, self.mind, measures, now)
        begin = perf_counter()
        self.mind, thought = conclude(self.settings, self.mind, scene, measures.thrift)
        took = perf_counter() - begin
        record = records.CycledRecord(measures, now, records.digest(self.mind))
        self.bus.publish(records.CYCLED, record)
        turn = Turn(self.mind.workspace.cycle, thought, self.mind, now.seed, took)
        if thought.choice:
            self.last = turn
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(turn)
        return turn

    def settle(self, deed: Deed) -> None:
        """Feel what came of a deed."""
        self.mind = settle(self.settings, self.mind, deed)
        self.bus.publish(records.DONE, records.DoneRecord(deed, records.digest(self.mind)))

    def next_turn(self) -> "asyncio.Future[Turn]":
        """The cycle that ends next."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    async def decided(self, turn: Turn) -> Turn:
        """The cycle in which tier 3 thinks about what it left over, or no longer will."""
        first = turn.number
        while turn.thought.is_owed:
            if self.last and self.last.number > first:
                return self.last
            turn = await self.next_turn()
        return turn

    def _instant(self) -> Instant:
        self._drawn += 1
        return Instant(self.now(), self.seed + self._drawn)
