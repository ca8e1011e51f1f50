"""Tasks that are started again when they fail, ever more slowly, and given up in the end."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from emily_runtime.messages import Language, Message, say
from emily_runtime.nerves.clock import Clock

_SECOND = 1_000_000_000
AGAIN, GIVEN_UP = "EMY-7002", "EMY-7003"
GRACE = 5.0
"""Seconds that a task gets to end when it is stopped."""
Work = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Patience:
    """How often a task may fail; the first time in a while, it starts again at once."""

    pause: float = 0.1
    """Seconds before the second restart in a row; doubled for each one after it."""
    longest: float = 30.0
    most: int = 8
    """Failures within WITHIN seconds after which it is given up."""
    within: float = 60.0

    def seconds(self, failures: int) -> float:
        """The pause after so many failures in a row."""
        if failures < 2:
            return 0.0
        return min(self.longest, self.pause * 2.0 ** min(failures - 2, 60))


class Life(StrEnum):
    """Where a task stands."""

    RUNNING = "running"
    PAUSED = "paused"
    GIVEN_UP = "given up"
    STOPPED = "stopped"


class Incident(NamedTuple):
    """A task that failed, and what became of it."""

    code: str
    name: str
    reason: str
    """What it raised, or how else it ended."""
    where: str
    """File and line of the code that raised; empty where nothing did."""
    failures: int
    """Within the time that counts."""
    pause: float
    """Seconds until it starts again."""

    @property
    def is_final(self) -> bool:
        """Whether it is given up."""
        return self.code == GIVEN_UP

    def message(self, language: Language) -> Message:
        """What to tell the operator."""
        values = self._asdict()
        return say(values.pop("code"), language, **values)


class Health(NamedTuple):
    """How a supervised task does."""

    name: str
    life: Life
    restarts: int
    reason: str
    """Of the last failure."""


@dataclass
class _Child:
    name: str
    work: Work
    patience: Patience
    life: Life = Life.STOPPED
    restarts: int = 0
    reason: str = ""
    failures: deque[int] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    """The work, or the pause before it."""


class Supervisor:
    """Starts tasks and keeps them going; one that fails disturbs no other."""

    def __init__(self, clock: Clock, tell: Callable[[Incident], object]) -> None:
        self.recovery_ns = 0
        """What the last restart took, without its pause."""
        self._clock = clock
        self._tell = tell
        self._children: dict[str, _Child] = {}

    def start(self, name: str, work: Work, patience: Patience | None = None) -> None:
        """Keep WORK going; it should never return, and starts again where it does."""
        if name in self._children:
            raise ValueError(f"{name} is already supervised")
        child = self._children[name] = _Child(name, work, patience or Patience())
        self._run(child)

    def retry(self, name: str) -> None:
        """Start what was given up or pauses, as if it had not failed before."""
        child = self._children[name]
        if child.life is Life.RUNNING:
            return
        _forget(child)
        child.failures.clear()
        self._run(child)

    async def stop(self, *names: str) -> tuple[str, ...]:
        """End these tasks, or all; the names of those that did not end within GRACE."""
        children = [self._children.pop(name) for name in names or tuple(self._children)]
        waiting = {}
        for child in children:
            child.life = Life.STOPPED
            if child.task and not child.task.done():
                child.task.cancel()
                waiting[child.task] = child.name
        if not waiting:
            return ()
        _, stuck = await asyncio.wait(waiting, timeout=GRACE)
        return tuple(sorted(waiting[task] for task in stuck))

    def health(self) -> tuple[Health, ...]:
        """Every task, by name."""
        return tuple(
            Health(child.name, child.life, child.restarts, child.reason)
            for _, child in sorted(self._children.items())
        )

    def given_up(self) -> tuple[str, ...]:
        """Names of the tasks that no longer run; a runtime with one of them is not healthy."""
        return tuple(one.name for one in self.health() if one.life is Life.GIVEN_UP)

    def _run(self, child: _Child) -> None:
        child.life = Life.RUNNING
        child.task = asyncio.get_running_loop().create_task(child.work(), name=child.name)
        child.task.add_done_callback(lambda task: self._ended(child, task))

    def _ended(self, child: _Child, task: asyncio.Task[None]) -> None:
        if child.life is Life.STOPPED:
            _told(task)  # or asyncio complains that nobody asked
            return
        now = self._clock.monotonic_ns()
        child.failures.append(now)
        while child.failures[0] < now - child.patience.within * _SECOND:
            child.failures.popleft()
        failures = len(child.failures)
        pause = child.patience.seconds(failures)
        if failures >= child.patience.most:
            child.life, pause = Life.GIVEN_UP, 0.0
        else:
            self._restart(child, pause)
            self.recovery_ns = self._clock.monotonic_ns() - now
        child.reason, where = _told(task)
        code = GIVEN_UP if child.life is Life.GIVEN_UP else AGAIN
        self._tell(Incident(code, child.name, child.reason, where, failures, pause))

    def _restart(self, child: _Child, pause: float) -> None:
        child.restarts += 1
        if not pause:
            self._run(child)
            return
        child.life = Life.PAUSED
        child.task = asyncio.get_running_loop().create_task(self._later(child, pause))

    async def _later(self, child: _Child, pause: float) -> None:
        await self._clock.sleep(pause)
        self._run(child)


def _forget(child: _Child) -> None:
    """End a pause, so that nothing starts twice."""
    if child.task:
        child.task.cancel()


def _told(task: asyncio.Task[None]) -> tuple[str, str]:
    """How a task ended, and where."""
    if task.cancelled():
        return "cancelled", ""
    error = task.exception()
    if error is None:
        return "ended", ""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}: {error}", where
