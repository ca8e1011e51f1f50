"""What the clock has said so far: the latest time ever seen, and snapshots that it misdated."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.here import Here
from emily_infra.backup.locks import locked
from emily_infra.backup.retention import SLACK, Point, Times
from emily_infra.backup.state import read, write

_FILE = "clock.json"
_WAIT = 60.0


@dataclass(frozen=True)
class Latch:
    """What this host remembers of its clock; without it, less is suspected and nothing is lost."""

    highest: datetime | None = None
    looked: Mapping[str, datetime] = field(default_factory=dict)
    """When each dataset's snapshots were last judged."""
    dated: Mapping[int, datetime] = field(default_factory=dict)
    """By guid, snapshots whose `creation` is of a wrong clock, and from when on they count."""

    def times(self, dataset: str, now: datetime) -> Times:
        """What there is to compare the clock with."""
        return Times(now, self.highest, self.looked.get(dataset))

    def is_behind(self, now: datetime) -> bool:
        """Whether the clock has been further already."""
        return self.highest is not None and now + SLACK < self.highest

    def seen(self, at: datetime) -> "Latch":
        """The same, once the clock has said AT."""
        return replace(self, highest=max(at, self.highest or at))

    def vouched(self, now: datetime, snapshots: Iterable[Snapshot]) -> "Latch":
        """The same, once a person vouches for NOW: what came from after it counts from now on."""
        late = {each.guid: now for each in snapshots if each.creation > now + SLACK}
        return replace(self, highest=now, dated={**self.dated, **late})

    def point(self, snapshot: Snapshot) -> Point:
        """A snapshot as retention looks at it."""
        at = self.dated.get(snapshot.guid, snapshot.creation)
        return Point(str(snapshot.guid), snapshot.createtxg, at, "held" if snapshot.holds else "")


def remembered(here: Here) -> Latch:
    """The latch as it was left; where it was lost or damaged, it begins anew."""
    path = here.settings.paths.state / _FILE
    told = read(path)
    if told is None:
        if path.with_name(f"{_FILE}.damaged").exists():
            here.tell(f"{path} was damaged and is begun anew; what it said is in {_FILE}.damaged")
        return Latch()
    return Latch(
        highest=_instant(told.get("highest")),
        looked=_instants(told.get("looked")),
        dated={int(key): at for key, at in _instants(told.get("dated")).items() if key.isdigit()},
    )


def looked_at(here: Here, datasets: Iterable[str], now: datetime) -> None:
    """These were judged by a clock that nothing speaks against."""
    looked = dict.fromkeys(datasets, now)
    _change(here, lambda old: replace(old.seen(now), looked={**old.looked, **looked}))


def misdated(here: Here, snapshots: Iterable[Snapshot], at: datetime) -> None:
    """The clock was wrong when these were taken; their age counts from AT on."""
    dated = {each.guid: at for each in snapshots}
    _change(here, lambda old: replace(old.seen(at), dated={**old.dated, **dated}))


def set_right(here: Here, now: datetime, snapshots: Iterable[Snapshot]) -> None:
    """A person vouches for the clock; that is remembered."""
    late = list(snapshots)
    _change(here, lambda old: old.vouched(now, late))


def forgotten(here: Here, guids: Iterable[int]) -> None:
    """These snapshots are gone."""
    gone = set(guids)
    if gone & remembered(here).dated.keys():
        _change(here, lambda old: replace(old, dated=_without(old.dated, gone)))


def _without(dated: Mapping[int, datetime], gone: Collection[int]) -> dict[int, datetime]:
    return {guid: at for guid, at in dated.items() if guid not in gone}


def _change(here: Here, how: Callable[[Latch], Latch]) -> None:
    with locked(here, "clock", verb="clock", wait=_WAIT):
        new = how(remembered(here))
        data = {
            "highest": new.highest.isoformat() if new.highest else None,
            "looked": _written(new.looked),
            "dated": _written({str(guid): at for guid, at in new.dated.items()}),
        }
        write(here.settings.paths.state / _FILE, data)


def _written(instants: Mapping[str, datetime]) -> dict[str, str]:
    return {key: at.isoformat() for key, at in instants.items()}


def _instants(told: object) -> dict[str, datetime]:
    pairs = told.items() if isinstance(told, dict) else ()
    return {str(key): at for key, text in pairs if (at := _instant(text))}


def _instant(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at.astimezone(UTC) if at else None
