"""Which snapshots a policy keeps and why, which expire, and when nothing may expire at all."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from emily_infra.backup.settings import LENGTHS

SLACK = timedelta(minutes=5)
"""How far readings may lie apart, of one clock that is set right or of two: what is further ahead
was dated by a wrong one."""
PAUSE = 10
"""After as many of its shortest periods without a run, a jump of the clock is as likely."""
LEAST_PAUSE = timedelta(days=1)
"""A pause that nobody is asked about: a night without power, a morning of work on the machine."""
MANY = 100
SOME = 10
HALF = 0.5

_BUCKETS: Mapping[str, Callable[[datetime], Hashable]] = {
    "frequent": lambda at: (at.date(), at.hour, at.minute // 15),
    "hourly": lambda at: (at.date(), at.hour),
    "daily": lambda at: at.date(),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: at.year,
}
"""Of an instant in UTC. Those of one kind can be sorted by time."""


@dataclass(frozen=True)
class Point:
    """A snapshot of ours, as retention looks at it."""

    guid: str
    createtxg: int
    """In which order they were taken, whatever the clock said."""
    at: datetime
    bound: str = ""
    """Why it cannot be destroyed (`held`, `cloned`); empty where it can."""


class Reason(StrEnum):
    """Why nothing of a dataset may be destroyed now."""

    EMPTY = "policy"
    FUTURE = "future"
    BACKWARDS = "clock"
    PAUSE = "pause"
    MANY = "many"


@dataclass(frozen=True)
class Stop:
    """What keeps a dataset from having anything destroyed, and how a person goes on."""

    reason: Reason
    message: str
    hint: str


@dataclass(frozen=True)
class Times:
    """What the clock says, and what it said before."""

    now: datetime
    highest: datetime | None = None
    """The latest instant that this host ever saw."""
    last: datetime | None = None
    """When this dataset was last looked at."""


@dataclass(frozen=True)
class Gap:
    """What no copy elsewhere holds yet, and how long it may outlive its policy."""

    since: datetime | None
    """Up to when all is copied; None where nothing is."""
    longest: timedelta


class Leave(StrEnum):
    """What a person has allowed for this run."""

    CLOCK = "--clock-is-right"
    MANY = "--many"


@dataclass(frozen=True)
class Verdict:
    """What becomes of a dataset's snapshots, from the oldest on."""

    kept: Mapping[str, tuple[str, ...]]
    """By guid, with the reasons."""
    expired: tuple[Point, ...]
    """What the policy does not keep and nothing binds; destroyed only if nothing stops it."""
    stop: Stop | None


def bucket(period: str, at: datetime) -> Hashable:
    """The quarter hour, hour, day and so on of the UTC calendar that an instant lies in."""
    return _BUCKETS[period](at.astimezone(UTC))


def kept(counts: Mapping[str, int], points: Iterable[Point]) -> dict[str, tuple[str, ...]]:
    """What a policy keeps, by guid: of each of its latest periods the newest, and why."""
    ordered = in_order(points)
    reasons: dict[str, list[str]] = {point.guid: [] for point in ordered}
    if ordered:
        reasons[ordered[-1].guid].append("newest")
    for period, count in counts.items():
        newest = {bucket(period, point.at): point for point in ordered}
        for each in sorted(newest, reverse=True)[:count]:  # type: ignore[type-var]
            reasons[newest[each].guid].append(period)
        # There is room left: a young series reaches back as far as it can.
        if ordered and len(newest) < count and period not in reasons[ordered[0].guid]:
            reasons[ordered[0].guid].append(f"oldest {period}")
    return {guid: tuple(why) for guid, why in reasons.items() if why}


def uncopied(gap: Gap, points: Iterable[Point], now: datetime) -> Iterable[str]:
    """Of each day since the last copy the newest snapshot, by guid, until it is too old."""
    newest: dict[Hashable, Point] = {}
    for point in in_order(points):
        is_new = gap.since is None or point.at > gap.since
        if is_new and now - point.at <= gap.longest:
            newest[bucket("daily", point.at)] = point
    return (point.guid for point in newest.values())


def decide(
    counts: Mapping[str, int],
    points: Sequence[Point],
    times: Times,
    leave: frozenset[Leave] = frozenset(),
    gap: Gap | None = None,
) -> Verdict:
    """What is kept, what expires, and whether something has to be asked first."""
    keeps = kept(counts, points)
    for guid in uncopied(gap, points, times.now) if gap else ():
        keeps[guid] = (*keeps.get(guid, ()), "not copied")
    for point in points:
        if point.bound:
            keeps[point.guid] = (*keeps.get(point.guid, ()), point.bound)
    expired = tuple(point for point in in_order(points) if point.guid not in keeps)
    stop = (
        _empty(counts)
        or (None if Leave.CLOCK in leave else _clock(counts, points, times))
        or (None if Leave.MANY in leave else _many(len(expired), len(points)))
    )
    return Verdict(keeps, expired, stop)


def in_order(points: Iterable[Point]) -> list[Point]:
    """From the oldest on, as the pool counts and not as the clock did."""
    return sorted(points, key=lambda point: (point.createtxg, point.guid))


def due(counts: Mapping[str, int], taken: Iterable[datetime], now: datetime) -> bool:
    """Whether a period of the policy has begun that no snapshot lies in."""
    times = list(taken)
    return any(
        count and bucket(period, now) not in {bucket(period, at) for at in times}
        for period, count in counts.items()
    )


def _empty(counts: Mapping[str, int]) -> Stop | None:
    if any(count > 0 for count in counts.values()):
        return None
    return Stop(
        Reason.EMPTY,
        "the policy keeps nothing",
        "give it a period in host.yaml, such as { hourly: 48, daily: 14 }, and apply the host",
    )


def _clock(counts: Mapping[str, int], points: Iterable[Point], times: Times) -> Stop | None:
    right = "if this clock is right (timedatectl): emily-infra backup expire --clock-is-right"
    now = times.now
    if times.highest and now + SLACK < times.highest:
        return Stop(
            Reason.BACKWARDS,
            f"this clock says {_said(now)}, and it said {_said(times.highest)} before",
            right,
        )
    latest = max((point.at for point in points), default=now)
    if latest > now + SLACK:
        return Stop(
            Reason.FUTURE,
            f"a snapshot was taken at {_said(latest)}, and now it is {_said(now)}: one of them "
            "was told by a wrong clock",
            right,
        )
    longest = pause(counts)
    if times.last and now - times.last > longest:
        return Stop(
            Reason.PAUSE,
            f"snapshots were last looked at {_said(times.last)}, and now it is {_said(now)}: "
            "either the host was off, or its clock has jumped",
            right,
        )
    return None


def pause(counts: Mapping[str, int]) -> timedelta:
    """How long a policy may go without a run before a person is asked about the clock."""
    shortest = next((LENGTHS[period] for period in _BUCKETS if counts.get(period)), LEAST_PAUSE)
    return max(PAUSE * shortest, LEAST_PAUSE)


def _many(expired: int, of: int) -> Stop | None:
    if expired <= MANY and (expired <= SOME or expired <= of * HALF):
        return None
    return Stop(
        Reason.MANY,
        f"{expired} of {of} snapshots would go at once, as after a change of the policy or a "
        "long pause",
        "look at them: emily-infra backup expire --dry-run; if that is right, once: "
        "emily-infra backup expire --many",
    )


def _said(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
