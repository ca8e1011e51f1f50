"""The odds that disks fail too soon after each other: a range, whose assumptions are named here.

The model is the oldest there is: disks fail independently and at a constant rate, and each is
replaced in a fixed time. It leaves out what real pools are lost by: failures with a common cause
(one batch, heat, a power supply, a controller, firmware), disks that wear out together or fail
under the load of a resilver, and people. So it compares layouts; it promises nothing (Greenan,
Plank, Wylie: Mean time to meaningless, HotStorage 2010).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb, expm1, log1p

from emily_infra.zfs.capacity import Capacity
from emily_infra.zfs.resilver import Span, allocated, resilver
from emily_infra.zfs.vdev import Media, Top

YEAR = 365.25
"""Days."""
AFR: dict[Media, Span] = {"hdd": Span(0.005, 0.04), "ssd": Span(0.005, 0.02)}
"""The share of disks that fail in a year.

Backblaze Drive Stats: 1.57 % of all in 2024, 0.5 % of the best models over their life, 0.9 to 1 %
of SSDs (2023). Schroeder and Gibson, FAST 2007: 2 to 4 % were replaced as a rule.
"""
UNREADABLE: dict[Media, Span] = {"hdd": Span(1e-15, 1e-14), "ssd": Span(1e-17, 1e-15)}
"""Sectors that cannot be read, per bit read: the bounds of data sheets, and JESD218 for clients.

Pools that are scrubbed every month do much better.
"""
WAIT = Span(1, 7)
"""Days until a new disk is in, where no spare is; a spare steps in at once, but not for special."""
_CERTAIN = 1 - 1e-15
"""log1p takes no -1."""


@dataclass(frozen=True)
class Outlook:
    """What awaits a pool that is 80 % full; a field is nothing where no disk can be replaced."""

    resilver: Span | None
    """Days, of its slowest data vdev."""
    lost_in_resilver: Span | None
    """The odds that the pool is lost before a data disk that has failed is replaced."""
    damaged_in_resilver: Span | None
    """The odds that a record is lost then, because a sector cannot be read and nothing is left."""
    lost_in_year: Span
    """The odds that the pool is lost within a year, special vdevs and the wait included."""


def outlook(capacity: Capacity, record: int, spares: int) -> Outlook:
    """The odds of a pool with so many hot spares, RECORD the smallest recordsize in it."""
    data = [[_case(top, record, spares, end) for top in capacity.tops] for end in (0, 1)]
    special = [[_case(top, record, 0, end) for top in capacity.special] for end in (0, 1)]
    replaced = [[case for case in cases if case.top.layout.failures_survived] for cases in data]
    return Outlook(
        _span([[case.resilver for case in cases] for cases in replaced]),
        _span([[case.lost for case in cases] for cases in replaced]),
        _span([[case.damaged for case in cases] for cases in replaced]),
        Span(*(any_of(case.lost_in_year for case in data[end] + special[end]) for end in (0, 1))),
    )


@dataclass(frozen=True)
class _Case:
    """A vdev at one end of all ranges."""

    top: Top
    failures: float
    """Of one disk, a day."""
    unreadable: float
    """Sectors, per bit read."""
    resilver: float
    """Days."""
    wait: float
    """Days."""

    @property
    def lost(self) -> float:
        """The odds that, one disk having failed, more follow than the vdev survives."""
        return self._more(self.top.layout.failures_survived)

    @property
    def damaged(self) -> float:
        """The odds that nothing is left to mend from and one of the others cannot be read."""
        layout = self.top.layout
        readers = 1 if layout.copies > 1 else layout.width - layout.failures_survived
        bits = 8 * allocated(self.top) * readers
        return self._more(layout.failures_survived - 1) * -expm1(bits * log1p(-self.unreadable))

    @property
    def lost_in_year(self) -> float:
        """The odds that in a year a disk fails and then too many others before it is replaced."""
        return -expm1(-self.top.layout.width * self.failures * YEAR * self.lost)

    def _more(self, needed: int) -> float:
        return at_least(
            needed, self.top.layout.width - 1, -expm1(-self.failures * (self.wait + self.resilver))
        )


def _case(top: Top, record: int, spares: int, end: int) -> _Case:
    days = resilver(top, record)
    at_once = spares or getattr(top.layout, "spares", 0)
    return _Case(
        top,
        failures=-log1p(-AFR[top.media][end]) / YEAR,
        unreadable=UNREADABLE[top.media][end],
        resilver=days[end] if days else 0.0,
        wait=0.0 if at_once else WAIT[end],
    )


def at_least(needed: int, others: int, each: float) -> float:
    """The odds that so many of the OTHERS fail, EACH being those of one (binomial).

    With a constant rate and a fixed time of repair this is all that a k-out-of-n system needs: its
    rate of loss is that of a first failure times these odds (J. E. Angus, On computing MTBF for a
    k-out-of-n:G repairable system, IEEE Trans. Reliability 37(3), 1988; arXiv:1310.4702). For one
    parity disk it is R. Elling's MTTDL[1], MTBF^2 / (N (N-1) MTTR); for more, Gibson's and his
    formulas count the orders in which disks can fail, and expect the loss too soon.
    """
    return sum(
        comb(others, count) * each**count * (1 - each) ** (others - count)
        for count in range(needed, others + 1)
    )


def any_of(odds: Iterable[float]) -> float:
    """The odds that at least one of several independent things happens."""
    return -expm1(sum(log1p(-min(each, _CERTAIN)) for each in odds))


def _span(ends: list[list[float]]) -> Span | None:
    return Span(*map(max, ends)) if all(ends) else None
