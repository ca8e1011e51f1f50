"""Time as something that is handed in, so that waiting can be tested without waiting."""

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that only go forward."""

    def now(self) -> float:
        """Seconds since some moment."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class Monotonic:
    """The time of this machine; setting its clock changes nothing."""

    def now(self) -> float:
        """Seconds since this machine started, or so."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)
