"""How long a resilver takes and what the odds are, in words and with their assumptions."""

from collections.abc import Iterator, Sequence
from math import log10

from emily_infra.zfs.capacity import COMFORTABLE_PERCENT, Capacity
from emily_infra.zfs.odds import AFR, UNREADABLE, WAIT, Outlook
from emily_infra.zfs.resilver import Span, rates, way
from emily_infra.zfs.table import Fact

LEFT_OUT = (
    "Failures are taken as independent. Left out: those with one cause (a batch, heat, power, a "
    "controller, firmware), wear, the strain of a resilver, load beside it, people. The odds "
    "compare layouts; they promise nothing."
)
_NEVER = 1e-9
_MINUTE = 1 / 1440
_SCALES = ((_MINUTE, "minutes"), (60 * _MINUTE, "hours"), (1.0, "days"))
"""In days."""


def prospect(capacity: Capacity, found: Outlook) -> Iterator[Fact]:
    """What awaits the pool when disks fail."""
    if found.resilver and found.lost_in_resilver and found.damaged_in_resilver:
        ways = dict.fromkeys(way(top) for top in capacity.tops if top.layout.failures_survived)
        yield Fact("resilver", f"{duration(found.resilver)}, {'; '.join(ways)}")
        yield Fact("pool lost by then", odds(found.lost_in_resilver))
        yield Fact("record lost by then", odds(found.damaged_in_resilver))
    yield Fact("pool lost in a year", odds(found.lost_in_year))


def assumptions(capacities: Sequence[Capacity], record: int) -> Iterator[str]:
    """What the time and the odds of these layouts rest on, one sentence each."""
    yield f"Estimates for a pool that is {COMFORTABLE_PERCENT} % full."
    tops = [top for each in capacities for top in each.tops]
    special = [top for each in capacities for top in each.special]
    for media in dict.fromkeys(top.media for top in (*tops, *special)):
        fail = f"{AFR[media].best:.1%} to {AFR[media].worst:.1%}".replace("%", " %")
        good, bad = (f"10^{-log10(bits):.0f}" for bits in UNREADABLE[media])
        yield f"{media.upper()}: {fail} fail in a year, 1 bit in {good} to {bad} is unreadable."
    paces = [rates(top, record) for top in tops if top.layout.failures_survived]
    if paces:
        slow, fast = min(pace.worst for pace in paces), max(pace.best for pace in paces)
        yield f"A data disk is filled at {fast / 1e6:.0f} to {slow / 1e6:.0f} MB/s."
        yield (
            f"A spare steps in at once; without one the new disk comes {WAIT.best} to "
            f"{WAIT.worst} days later."
        )
    yield LEFT_OUT


def duration(days: Span) -> str:
    """A range in the largest unit of which the long end has two."""
    scale, unit = next(
        ((scale, unit) for scale, unit in reversed(_SCALES) if days.worst >= 2 * scale), _SCALES[0]
    )
    low, high = (f"{end / scale:.{0 if end >= 10 * scale else 1}f}" for end in days)
    return f"{low} {unit}" if low == high else f"{low} to {high} {unit}"


def odds(span: Span) -> str:
    """A range of odds, the good end first."""
    best, worst = (chance(end) for end in span)
    return best if best == worst else f"{best} to {worst}"


def chance(odds: float) -> str:
    """Odds as people say them, with two digits that count."""
    if odds >= 0.995:
        return "certain"
    if odds >= 0.01:
        return f"{odds:.0%}".replace("%", " %") if odds >= 0.1 else f"{odds * 100:.1f} %"
    if odds < _NEVER:
        return "under 1 in a billion"
    once = 1 / odds
    digits = max(0, len(f"{once:.0f}") - 2)
    return f"1 in {round(once, -digits):,.0f}"
