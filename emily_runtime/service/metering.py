"""What the way in counts about itself."""

import time
from collections import deque
from statistics import quantiles

RECENT = 512
"""Requests whose durations are kept for the 95th percentile."""


class Tally:
    """Requests of one door, since it was last set to zero."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT)
        self.restart()

    def restart(self) -> None:
        """Begin again at zero."""
        self.since = time.time()
        self.requests = 0
        self.errors = 0
        """Replies of 500 and above: what a caller could not help."""
        self._recent.clear()

    def count(self, status: int, seconds: float) -> None:
        """One reply."""
        self.requests += 1
        self.errors += status >= 500
        self._recent.append(seconds)

    def p95_ms(self) -> float:
        """95 of 100 of the last replies took less; 0 before there are two."""
        if len(self._recent) < 2:
            return 0.0
        return round(quantiles(self._recent, n=20, method="inclusive")[-1] * 1000, 3)
