"""One limit over several waits."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment; whatever waits for something asks how long it still may."""

    seconds: float
    moment: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """SECONDS from now; infinity means none."""
        return cls(seconds, time.monotonic() + seconds)

    def left(self) -> float:
        """The seconds that remain, never below zero."""
        return max(0.0, self.moment - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the wait is over."""
        return self.left() == 0.0
