"""Time as tests of deploys want it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Looks:
    """Time that goes on a second a look."""

    seconds: float = 0.0
    then: dict[int, Callable[[], object]] = field(default_factory=dict)
    """What happens after so many looks."""

    def now(self) -> float:
        """As a clock does."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """As a clock does."""
        self.seconds += seconds
        self.then.pop(int(self.seconds), lambda: None)()
        time.sleep(0.02)
