"""How long a resilver will take yet: a range, because it is never as even as it begins."""

from collections.abc import Sequence
from dataclasses import dataclass

from emily_infra.observe.pools import Pool
from emily_infra.observe.vdevs import Scan

EARLY_PERCENT = 1.0
EARLY_SECONDS = 60
"""Before both, the scan has read the map of what there is and written little."""
SLOWER = 2.0
"""By how much the rest may be slower than the slowest rate so far.

A spinning disk writes at half its speed at the rim near its centre, and small records come when
they come.
"""


@dataclass(frozen=True)
class Sample:
    """How far it was when somebody looked."""

    at: int
    percent: float


@dataclass(frozen=True)
class Estimate:
    """Seconds that are left, from and to."""

    least: int
    most: int


def resilver(pool: Pool) -> Scan | None:
    """The one that runs or waits."""
    running = (each for each in pool.scans if each.kind == "resilver")
    return next((each for each in running if each.state in ("running", "paused")), None)


def estimate(scan: Scan, samples: Sequence[Sample]) -> Estimate | None:
    """From the mean since its beginning and what was seen of it; nothing while it is too early."""
    if not samples or samples[-1].percent < EARLY_PERCENT:
        return None
    now = samples[-1]
    since = now.at - scan.at
    if since < EARLY_SECONDS:
        return None
    rates = [now.percent / since]
    first = next((each for each in samples if now.at - each.at <= 10 * EARLY_SECONDS), now)
    if now.at - first.at >= EARLY_SECONDS and now.percent > first.percent:
        rates.append((now.percent - first.percent) / (now.at - first.at))
    rest = 100.0 - now.percent
    return Estimate(int(rest / max(rates)), int(SLOWER * rest / min(rates)))
