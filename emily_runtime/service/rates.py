"""Token buckets: how often a principal may come."""

from collections import OrderedDict

MOST = 4096
"""Principals that are remembered; the one seen longest ago is forgotten."""


class Buckets:
    """A bucket for each principal, full at first; a request takes one token out of it."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, principal: str, now: float) -> float:
        """0 where there was a token, otherwise the seconds until there is one."""
        level, then = self._levels.pop(principal, (self.burst, now))
        level = min(self.burst, level + (now - then) * self.rate)
        wait = 0.0 if level >= 1 else (1 - level) / self.rate
        self._levels[principal] = (level if wait else level - 1, now)
        if len(self._levels) > MOST:
            self._levels.popitem(last=False)
        return wait
