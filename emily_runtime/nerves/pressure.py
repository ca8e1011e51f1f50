"""What is done without when memory is short: a ladder of four rungs, each with its way back."""

import asyncio
import ctypes
import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from emily_runtime.messages import Language, Message, say
from emily_runtime.nerves.clock import Clock
from emily_runtime.nerves.psi import Alarm, Stalls

LEVELS = 4
_REACHED = ("", "EMY-7009", "EMY-7010", "EMY-7011", "EMY-7012")
_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Rules:
    """When a rung is entered and left."""

    rises: tuple[float, float, float, float] = (5.0, 15.0, 30.0, 50.0)
    """Per cent of the last ten seconds in which some task waited for memory."""
    release: float = 0.5
    """A rung is left below this share of what it is entered at; between the two, nothing moves."""
    hold: float = 10.0
    """Seconds below, for each rung down."""
    period: float = 2.0
    """Seconds between two looks while any rung is entered; on level 0 nobody looks."""

    def __post_init__(self) -> None:
        if not all(one < other for one, other in zip((0.0, *self.rises), self.rises)):  # noqa: B905 - one more on the left
            told = ", ".join(f"{rise:g}" for rise in self.rises)
            raise ValueError(f"the rungs of memory pressure have to rise, and are {told}")
        if not 0.0 < self.release < 1.0 or self.hold < 0 or self.period <= 0:
            raise ValueError(f"these rules of memory pressure lead nowhere: {self}")

    def leaves(self, level: int) -> float:
        """Per cent below which a level is left."""
        return self.rises[level - 1] * self.release


class Standing(NamedTuple):
    """Where on the ladder, and since when (in seconds) one could go down."""

    level: int = 0
    calm_since: float | None = None


def moved(rules: Rules, standing: Standing, stalled: float, at: float) -> Standing:
    """Up at once and as far as needed; down one rung, after calm, which then begins anew."""
    level, calm_since = standing
    target = sum(stalled >= rise for rise in rules.rises)
    if target > level:
        return Standing(target)
    if level == 0 or stalled >= rules.leaves(level):
        return Standing(level)
    if calm_since is None:
        return Standing(level, at)
    if at - calm_since >= rules.hold:
        return Standing(level - 1, at)
    return standing


class Rung(NamedTuple):
    """What is done on a level, and how it is undone; both may happen twice in a row."""

    enter: Callable[[], Awaitable[object]]
    leave: Callable[[], Awaitable[object]]


class Change(NamedTuple):
    """A step on the ladder, for the operator; or, with a reason, an action of it that failed."""

    code: str
    level: int
    stalled: float
    """Per cent."""
    leaves: float
    """The level is left below so many per cent ..."""
    hold: float
    """... for so many seconds."""
    reason: str = ""

    def message(self, language: Language) -> Message:
        """What to tell the operator."""
        values = self._asdict()
        return say(values.pop("code"), language, **values)


class Ladder:
    """Goes up and down by itself; an action that is slow or fails holds up no other rung."""

    def __init__(
        self,
        clock: Clock,
        rungs: Sequence[Rung],
        look: Callable[[], Stalls | None],
        tell: Callable[[Change], object],
        rules: Rules | None = None,
    ) -> None:
        if len(rungs) != LEVELS:
            raise ValueError(f"the ladder has {LEVELS} rungs, not {len(rungs)}")
        self.rules = rules or Rules()
        self.standing = Standing()
        self._clock = clock
        self._rungs = rungs
        self._look = look
        self._tell = tell
        self._acting: dict[int, asyncio.Task[None]] = {}

    @property
    def level(self) -> int:
        """0, all is well, to 4, reflexes only."""
        return self.standing.level

    async def run(self, alarm: Alarm | None = None) -> None:
        """Look when it rings and while any rung is entered; without an alarm, all the time."""
        while True:
            has_rung = await self._next(alarm)
            stalls = self._look()
            self.take(stalls.some.avg10 if stalls else 0.0, has_rung=has_rung)

    def take(self, stalled: float, *, has_rung: bool = False) -> None:
        """Move by what was seen; an alarm is worth the first rung, whatever the average says."""
        seen = max(stalled, self.rules.rises[0]) if has_rung else stalled
        before = self.level
        now = self._clock.monotonic_ns() / _SECOND
        self.standing = moved(self.rules, self.standing, seen, now)
        for level in range(before + 1, self.level + 1):
            self._act(level, self._rungs[level - 1].enter)
            self._told(_REACHED[level], level, stalled)
        for level in range(before, self.level, -1):
            self._act(level, self._rungs[level - 1].leave)
            self._told("EMY-7013", level - 1, stalled)

    async def _next(self, alarm: Alarm | None) -> bool:
        """Whether it was the alarm."""
        if alarm and not alarm.is_open:
            alarm = None
        if alarm and not self.level:
            await alarm.wait()
            return True
        period = asyncio.ensure_future(self._clock.sleep(self.rules.period))
        if alarm is None:
            await period
            return False
        rings = asyncio.ensure_future(alarm.wait())
        try:
            done, _ = await asyncio.wait({period, rings}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            period.cancel()
            rings.cancel()
        return rings in done

    def _act(self, level: int, action: Callable[[], Awaitable[object]]) -> None:
        task = asyncio.ensure_future(_after(self._acting.get(level), action))
        self._acting[level] = task
        task.add_done_callback(lambda task: self._acted(level, task))

    def _acted(self, level: int, task: asyncio.Task[None]) -> None:
        if self._acting.get(level) is task:
            del self._acting[level]
        error = None if task.cancelled() else task.exception()
        if error:
            self._told("EMY-7014", level, 0.0, f"{type(error).__name__}: {error}")

    def _told(self, code: str, level: int, stalled: float, reason: str = "") -> None:
        leaves = self.rules.leaves(level) if level else 0.0
        self._tell(Change(code, level, stalled, leaves, self.rules.hold, reason))


async def _after(
    previous: asyncio.Task[None] | None, action: Callable[[], Awaitable[object]]
) -> None:
    """A rung is entered and left in the order in which that was decided."""
    if previous:
        await asyncio.wait({previous})
    await action()


def give_back() -> None:
    """Collect garbage, and return what the allocator keeps to the kernel."""
    gc.collect()
    with suppress(AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)
