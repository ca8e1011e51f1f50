"""Leaving alone what keeps failing, and trying it once after a rest."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from types import TracebackType
from typing import TypeVar

from emily_runtime.messages import Refused
from emily_runtime.nerves.clock import Clock

T = TypeVar("T")
NANOSECONDS = 1_000_000_000


class State(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    """It goes through."""
    OPEN = "open"
    """It is refused at once."""
    HALF_OPEN = "half-open"
    """It is the trial, unless one is under way."""


class Resting(Refused):
    """A call that was not made, since the ones before it failed."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__("EMY-5001", name=name, seconds=f"{seconds:.1f}")
        self.seconds = seconds


class Breaker:
    """Counts failures in a row; it belongs to one event loop, and no thread shares it.

    A call that began before the last change of state changes nothing when it ends: it tells of
    how things were. One that is cancelled, or raises what is not COUNTED, is no verdict either.
    """

    def __init__(
        self,
        name: str,
        failures: int,
        rest_seconds: float,
        clock: Clock,
        counted: tuple[type[BaseException], ...] = (Exception,),
    ) -> None:
        self.name = name
        self.trips = 0
        """How often it has opened, for the metrics."""
        self._most = failures
        self._rest_ns = round(rest_seconds * NANOSECONDS)
        self._clock = clock
        self._counted = counted
        self._failures = 0
        self._until_ns: int | None = None
        self._trying = False
        self._epoch = 0

    @property
    def state(self) -> State:
        """What happens to the next call."""
        if self._until_ns is None:
            return State.CLOSED
        return State.OPEN if self._remaining_ns() else State.HALF_OPEN

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """What WORK returns; Resting where it is not called at all."""
        with self.guard():
            return await work()

    def guard(self) -> "Guard":
        """A with-block whose outcome counts; entering it raises Resting."""
        return Guard(self)

    def begin(self) -> int:
        """The epoch in which a call begins; Resting where it may not."""
        if self._until_ns is not None:
            remaining = self._remaining_ns()
            if self._trying or remaining:
                raise Resting(self.name, remaining / NANOSECONDS)
            self._trying = True
        return self._epoch

    def end(self, epoch: int, error: type[BaseException] | None) -> None:
        """Judge a call by what it raised, if nothing has changed since it began."""
        if epoch != self._epoch:
            return
        self._trying = False
        if error is None:
            self._succeeded()
        elif issubclass(error, self._counted):
            self._failed()

    def _succeeded(self) -> None:
        self._failures = 0
        if self._until_ns is not None:
            self._until_ns = None
            self._epoch += 1

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._most:
            self._until_ns = self._clock.monotonic_ns() + self._rest_ns
            self._epoch += 1
            self.trips += 1

    def _remaining_ns(self) -> int:
        return max(0, (self._until_ns or 0) - self._clock.monotonic_ns())


class Guard:
    """One call's way through a breaker."""

    __slots__ = ("_breaker", "_epoch")

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def __enter__(self) -> None:
        self._epoch = self._breaker.begin()

    def __exit__(
        self,
        error: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._breaker.end(self._epoch, error)
