"""What the way in counts about itself."""

import time
from collections import deque
from collections.abc import Iterable
from statistics import quantiles

from prometheus_client import Histogram

from emily_runtime.mind.metrics import Metrics

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


class Gauges:
    """The families about the way in, their children bound once."""

    def __init__(self, metrics: Metrics, paths: Iterable[str]) -> None:
        self._metrics = metrics
        self._paths = frozenset(paths)
        self._requests: dict[tuple[str, int], Histogram] = {}
        self._strangers = metrics.counter("emily_auth_failures_total")
        self._hasty = metrics.counter("emily_rate_limited_total")
        self._readers = metrics.gauge("emily_ws_clients")

    def request(self, path: str, status: int, seconds: float) -> None:
        """One reply, by its place and the class of its status."""
        key = path, status
        child = self._requests.get(key)
        if child is None:
            child = self._child(path, status)
            if path in self._paths:  # else anybody could fill our memory with paths
                self._requests[key] = child
        child.observe(seconds)
        if status == 401:
            self._strangers.inc()
        elif status == 429:
            self._hasty.inc()

    def shed(self, code: str) -> None:
        """One request that was told to come back later."""
        self._metrics.counter("emily_requests_shed_total", code).inc()

    def heard(self, readers: int, lost: int) -> None:
        """How many listen, and what they lost until now, all together."""
        self._readers.set(readers)
        self._metrics.total("emily_ws_lost_total", value=lost)

    def _child(self, path: str, status: int) -> Histogram:
        route = path if path in self._paths else "other"
        return self._metrics.histogram("emily_http_request_seconds", route, f"{status // 100}xx")
