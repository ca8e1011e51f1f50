"""What is sent next, and what it adds to; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from emily_infra.backup import retention
from emily_infra.backup.catalogue import Bookmark, Snapshot
from emily_infra.backup.replication.asking import Copy, There
from emily_infra.backup.replication.faults import Gone, NoBase


@dataclass(frozen=True)
class Source:
    """A dataset here, as far as sending it goes."""

    dataset: str
    snapshots: Sequence[Snapshot]
    """From the oldest on."""
    bookmarks: Sequence[Bookmark]
    """Those that were made for this target."""
    sealed: bool = False
    key_loaded: bool = True


@dataclass(frozen=True)
class Base:
    """What a snapshot adds to: one that is here, or the bookmark that it left."""

    full: str
    guid: int
    createtxg: int
    creation: datetime


@dataclass(frozen=True)
class Step:
    """A snapshot to send."""

    snapshot: Snapshot
    base: Base | None
    """Nothing: the whole dataset."""


def base(source: Source, there: There) -> Base | None:
    """What the far side's newest snapshot is here; None where there is nothing yet."""
    newest = there.newest
    place = f"{there.into}/{source.dataset}"
    if newest is None:
        if there.exists and not there.token:
            raise _in_the_way(place)
        return None
    known = _known(source)
    if newest.guid in known:
        return known[newest.guid]
    shared = [each for each in there.snapshots if each.guid in known]
    if shared:
        raise _diverged(place, shared[-1], there)
    raise NoBase(
        f"{place} ends with {newest.name}, and {source.dataset} has neither that nor any other of "
        "its snapshots; nothing there was changed",
        hint=f"keep it and begin anew beside it; over there: zfs rename {place} {place}-before; "
        f"here: emily-infra backup replicate TARGET --anew {source.dataset}",
    )


def _in_the_way(place: str) -> NoBase:
    return NoBase(
        f"{place} stands over there without a snapshot, and ZFS makes what it takes in itself; "
        "nothing there was changed",
        hint=f"over there: zfs rename {place} {place}-before; run this again; then put what "
        f"stands below it back: zfs rename {place}-before/NAME {place}/NAME",
    )


def _diverged(place: str, common: Copy, there: There) -> NoBase:
    at = there.snapshots.index(common)
    newer = [each.name for each in there.snapshots[at + 1 :]]
    listed = ", ".join(newer[:3]) + (f" and {len(newer) - 3} more" if len(newer) > 3 else "")
    return NoBase(
        f"{place} has gone its own way since {common.name}: {listed} came to it there and is not "
        "known here; nothing there was changed",
        hint="look at what is newer there; if it may go, over there, by hand: "
        f"zfs destroy {place}@{newer[0]}; if not: zfs rename {place} {place}-before",
    )


def steps(source: Source, there: There, now: datetime) -> list[Step]:
    """The snapshots to send, in their order; none where the far side has the newest.

    Only those which the far side's retention would keep: whatever lies between two of them
    travels with the later one, and would be destroyed there at once.
    """
    known = base(source, there)
    candidates = [
        each
        for each in source.snapshots
        if each.mine
        and each.creation <= now + retention.SLACK
        and (known is None or _follows(each, known))
    ]
    chain: list[Step] = []
    for each in _wanted(there, candidates):
        chain.append(Step(each, known))
        known = Base(each.full, each.guid, each.createtxg, each.creation)
    return chain


def must_be_known(source: Source, there: There) -> None:
    """Gone where something was sent before, and the far side has no such dataset any more."""
    if there.exists or not source.bookmarks:
        return
    place = f"{there.into}/{source.dataset}"
    raise Gone(
        f"{source.dataset} was sent before, but there is no {place} over there: it was renamed "
        "here, or taken away there; sending all of it again is left to you",
        hint=f"if it was renamed here, rename it there: zfs rename OLD {place}; else send all of "
        f"it: emily-infra backup replicate TARGET --anew {source.dataset}",
    )


def _follows(snapshot: Snapshot, known: Base) -> bool:
    """Whether it is newer by both: the far side refuses times that go backwards."""
    return snapshot.createtxg > known.createtxg and snapshot.creation >= known.creation


def _known(source: Source) -> dict[int, Base]:
    """Every snapshot and bookmark by guid; a snapshot serves better than its bookmark."""
    marks = {
        each.guid: Base(each.full, each.guid, each.createtxg, each.creation)
        for each in source.bookmarks
    }
    taken = {
        each.guid: Base(each.full, each.guid, each.createtxg, each.creation)
        for each in source.snapshots
    }
    return marks | taken


def _wanted(there: There, candidates: Sequence[Snapshot]) -> list[Snapshot]:
    """What the far side would keep of them, and the newest in any case."""
    times = [datetime.fromtimestamp(each.creation, UTC) for each in there.snapshots]
    guids = [f"there-{each.guid}" for each in there.snapshots]
    times += [each.creation for each in candidates]
    guids += [str(each.guid) for each in candidates]
    points = [
        retention.Point(guid, place, at)
        for place, (guid, at) in enumerate(zip(guids, times, strict=True))
    ]
    keeps = retention.kept(there.keep.counts, points)
    chosen = [each for each in candidates if str(each.guid) in keeps or each is candidates[-1]]
    return _in_time(chosen)


def _in_time(candidates: Sequence[Snapshot]) -> list[Snapshot]:
    """Without those whose clock ran ahead of the ones after them: those would be refused."""
    chosen: list[Snapshot] = []
    for each in reversed(candidates):
        if not chosen or each.creation <= chosen[-1].creation:
            chosen.append(each)
    return chosen[::-1]
