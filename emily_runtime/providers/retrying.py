"""When a call that failed is made again."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from random import SystemRandom

from emily_runtime.providers.failures import Failed


@dataclass(frozen=True)
class Patience:
    """How long one prompt is worth trying for, over all providers."""

    seconds: float = 30.0
    attempts: int = 3
    """With each provider."""
    base: float = 0.5
    """Seconds; the first wait is somewhere below it."""
    most: float = 8.0
    """Seconds; no wait of our own is longer."""
    chance: Callable[[], float] = SystemRandom().random
    """From 0 to 1."""

    def wait(self, attempt: int, failure: Failed, left: float) -> float | None:
        """Seconds until the next attempt, or None where there is none.

        Full jitter: uniform below base 2^attempt, so that those who failed together do not
        come back together; on top of what the provider asked for. (Brooker, "Exponential
        Backoff and Jitter", 2015.)
        """
        if not failure.again or attempt + 1 >= self.attempts:
            return None
        jitter = self.chance() * min(self.most, self.base * 2**attempt)
        wait = (failure.wait or 0.0) + jitter
        return wait if wait < left else None


def asked_wait(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds that Retry-After asks for, as a number or as a date; None where it says neither."""
    text = headers.get("retry-after", "")
    seconds = _number(text) if not text[:1].isalpha() else _until(text, wall)
    return None if seconds is None else max(0.0, seconds)


def _number(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _until(text: str, wall: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - wall
