"""What protects each dataset, how old that is, and which promises are not kept; nothing is read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from emily_infra.backup.names import pool_of
from emily_infra.backup.rates import GB
from emily_infra.backup.retention import SLACK
from emily_infra.backup.settings import LENGTHS, Dataset, Policy, Settings
from emily_infra.spec.grace import grace


class Kind(StrEnum):
    """Where copies are kept."""

    REPOSITORY = "repository"
    REPLICA = "replica"


@dataclass(frozen=True)
class Drilled:
    """The newest restore that was tried of a place."""

    at: datetime
    passed: bool
    verdict: str
    seconds_per_gb: float | None = None
    """As measured; nothing where too little was restored to tell."""


@dataclass(frozen=True)
class Place:
    """What is remembered of a repository or a replica."""

    copies: Mapping[str, datetime] = field(default_factory=dict)
    """By dataset, when the newest snapshot was taken that is there as a whole."""
    trouble: str = ""
    """Why the last run did not do its work."""
    unverified: datetime | None = None
    """When the share was read that was not read for longest."""
    drilled: Drilled | None = None
    since: datetime | None = None
    """When the first copy ended: nothing about it can be late from before."""


@dataclass(frozen=True)
class Taken:
    """What is seen of a dataset on its pool."""

    newest: datetime | None = None
    held: tuple[str, ...] = ()
    """Snapshots that are kept from being destroyed, each with who needs it."""
    size: int | None = None
    unseen: str = ""
    """Why the pool could not be asked; the rest is then as it was remembered."""
    stopped: str = ""
    """Why nothing of it is expired until a person has looked."""


@dataclass(frozen=True)
class Running:
    """A run that is at work."""

    thing: str
    verb: str
    pid: str
    since: str


@dataclass(frozen=True)
class Seen:
    """Everything that coverage is told of."""

    taken: Mapping[str, Taken] = field(default_factory=dict)
    places: Mapping[tuple[Kind, str], Place] = field(default_factory=dict)
    running: tuple[Running, ...] = ()


@dataclass(frozen=True)
class Due:
    """A thing with its age and the age that was promised."""

    at: datetime | None
    limit: int
    """Seconds."""

    def is_kept(self, now: datetime) -> bool:
        """Whether it is young enough; what lies in the future is not, for its clock was wrong."""
        if self.at is None or self.at > now + SLACK:
            return False
        return now - self.at <= timedelta(seconds=self.limit)


@dataclass(frozen=True)
class Cover:
    """How one dataset stands."""

    dataset: str
    policy: str | None
    exempt: str | None
    snapshot: Due | None
    copies: Mapping[str, Due]
    """By repository and replica."""
    point: Due | None
    """The newest copy that is left when the pool is lost; nothing where none was promised."""
    seconds: float | None
    """What restoring all of it takes, as measured in drills."""
    taken: Taken


@dataclass(frozen=True)
class Broken:
    """A promise that is not kept."""

    what: str
    due: Due | None
    why: str
    look: tuple[str, ...]
    """The command that shows more."""


def covers(settings: Settings, seen: Seen) -> list[Cover]:
    """Every dataset, by name."""
    return [_cover(settings, seen, path) for path in sorted(settings.datasets)]


def _cover(settings: Settings, seen: Seen, path: str) -> Cover:
    body = settings.datasets[path]
    taken = seen.taken.get(path, Taken())
    policy = settings.policy_of(path)
    copies = {
        name: Due(seen.places.get((kind, name), Place()).copies.get(path), grace(period))
        for kind, name, period in _promised(settings, body)
    }
    survive = {name: due for name, due in copies.items() if not _on_own_pool(settings, path, name)}
    dates = [due.at for due in survive.values() if due.at]
    limits = [due.limit for due in survive.values()]
    return Cover(
        dataset=path,
        policy=body.policy,
        exempt=body.exempt,
        snapshot=Due(taken.newest, grace(pace(policy))) if policy else None,
        copies=copies,
        point=Due(max(dates, default=None), min(limits)) if limits else None,
        seconds=_seconds(seen, body, taken.size),
        taken=taken,
    )


def pace(policy: Policy) -> int:
    """Seconds between two snapshots."""
    return min(int(LENGTHS[period].total_seconds()) for period in policy.counts)


def _promised(settings: Settings, body: Dataset) -> Iterator[tuple[Kind, str, int]]:
    for name in body.repositories:
        yield Kind.REPOSITORY, name, settings.repositories[name].period
    for name in body.replicas:
        yield Kind.REPLICA, name, settings.replicas[name].period


def _on_own_pool(settings: Settings, path: str, name: str) -> bool:
    """Whether a repository is a folder of the very pool that it would have to replace."""
    repository = settings.repositories.get(name)
    folder = PurePosixPath(repository.url.removeprefix("local:")) if repository else None
    if folder is None or not folder.is_absolute():
        return False
    holder = settings.holder_of(folder)
    return holder is not None and pool_of(holder[0]) == pool_of(path)


def _seconds(seen: Seen, body: Dataset, size: int | None) -> float | None:
    """Of the places that were drilled, by the one that gives it back soonest."""
    places = [seen.places.get((Kind.REPOSITORY, name), Place()) for name in body.repositories]
    rates = [
        each.drilled.seconds_per_gb
        for each in places
        if each.drilled and each.drilled.passed and each.drilled.seconds_per_gb is not None
    ]
    return min(rates) * size / GB if rates and size is not None else None


def broken(settings: Settings, seen: Seen, now: datetime) -> list[Broken]:
    """Every promise that is not kept, the ones about most data first."""
    rows = covers(settings, seen)
    return [
        *_unseen(rows),
        *_snapshots(rows, now),
        *_stopped(rows),
        *_copies(settings, seen, rows, now),
        *_reading(settings, seen, now),
        *_drills(settings, seen, now),
    ]


def _unseen(rows: list[Cover]) -> Iterator[Broken]:
    why = {pool_of(row.dataset): row.taken.unseen for row in rows if row.taken.unseen}
    for pool, said in sorted(why.items()):
        yield Broken("a pool cannot be asked", None, said, ("zpool", "status", "-v", pool))


def _snapshots(rows: list[Cover], now: datetime) -> Iterator[Broken]:
    def newest(row: Cover) -> Due | None:
        return row.snapshot

    for names, due in _together(rows, newest, now):
        look = ("journalctl", "--unit", "emily-snapshot", "--since", "-1d")
        yield Broken(f"snapshots of {names}", due, "", look)


def _stopped(rows: list[Cover]) -> Iterator[Broken]:
    stopped: dict[str, list[str]] = {}
    for row in rows:
        if row.taken.stopped:
            stopped.setdefault(row.taken.stopped, []).append(row.dataset)
    for why, datasets in sorted(stopped.items()):
        look = ("emily-infra", "backup", "expire", "--dry-run")
        yield Broken(f"expiring of {_few(datasets)}", None, f"stopped: {why}", look)


def _copies(settings: Settings, seen: Seen, rows: list[Cover], now: datetime) -> Iterator[Broken]:
    for kind, name in _places(settings):
        place = seen.places.get((kind, name), Place())
        verb = "offsite" if kind is Kind.REPOSITORY else "replicate"
        look = ("journalctl", "--unit", f"emily-{verb}-{name}", "--since", "-2d")

        def copied(row: Cover, name: str = name) -> Due | None:
            return row.copies.get(name)

        late = list(_together(rows, copied, now))
        for names, due in late:
            yield Broken(f"{kind} {name}: copies of {names}", due, place.trouble, look)
        if place.trouble and not late:
            yield Broken(f"{kind} {name}: last run", None, place.trouble, look)


def _places(settings: Settings) -> Iterator[tuple[Kind, str]]:
    yield from ((Kind.REPOSITORY, name) for name in sorted(settings.repositories))
    yield from ((Kind.REPLICA, name) for name in sorted(settings.replicas))


def _together(
    rows: list[Cover], promised: Callable[[Cover], Due | None], now: datetime
) -> Iterator[tuple[str, Due]]:
    """Late datasets, those of one age in one line: a host has hundreds, and one cause."""
    late: dict[Due, list[str]] = {}
    for row in rows:
        due = promised(row)
        if due and not due.is_kept(now):
            late.setdefault(due, []).append(row.dataset)
    for due, names in late.items():
        yield _few(names), due


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 4 else ""
    return ", ".join(names[:3] if more else names) + more


def _reading(settings: Settings, seen: Seen, now: datetime) -> Iterator[Broken]:
    for name, repository in sorted(settings.repositories.items()):
        place = seen.places.get((Kind.REPOSITORY, name), Place())
        due = Due(place.unverified, grace(repository.verify.whole_in))
        if not _was_kept(due, place, now):
            look = ("journalctl", "--unit", f"emily-verify-{name}", "--since", "-7d")
            yield Broken(f"repository {name}: reading all of it back", due, "", look)


def _drills(settings: Settings, seen: Seen, now: datetime) -> Iterator[Broken]:
    if not settings.drill:
        return
    for name in sorted(settings.repositories):
        place = seen.places.get((Kind.REPOSITORY, name), Place())
        drilled = place.drilled
        due = Due(drilled.at if drilled else None, grace(settings.drill.period))
        what, look = f"repository {name}: drill", ("emily-infra", "backup", "evidence")
        if drilled and not drilled.passed:
            yield Broken(what, due, drilled.verdict, look)
        elif not _was_kept(due, place, now):
            yield Broken(what, due, "", ("journalctl", "--unit", "emily-drill", "--since", "-14d"))


def _was_kept(due: Due, place: Place, now: datetime) -> bool:
    """Whether a promise about a repository is kept; what never was counts from its first copy."""
    return place.since is None or due.is_kept(now) or Due(place.since, due.limit).is_kept(now)
