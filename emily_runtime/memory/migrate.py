"""From one memory into another, in either direction, as often as it takes."""

from collections.abc import Callable
from typing import NamedTuple

from emily_runtime.memory.episode import Tally, digest
from emily_runtime.memory.store import Store
from emily_runtime.messages import Refused

BATCH = 500
"""Episodes that are under way at a time."""


class Progress(NamedTuple):
    """How far it is."""

    seen: int
    copied: int
    """The rest was there already: from an attempt that was broken off, say."""
    total: int


class Migrated(NamedTuple):
    """What it came to; source and target were compared field by field."""

    copied: int
    already: int
    episodes: int
    """Those of the source, all of which the target holds."""
    checksum: str
    """Of these, on both sides."""
    others: int
    """Episodes of the target that the source does not have."""


async def migrate(
    source: Store,
    target: Store,
    progress: Callable[[Progress], None] = lambda _: None,
    batch: int = BATCH,
) -> Migrated:
    """Copy what TARGET lacks, then compare; Refused (EMY-4030) where something differs.

    Nothing is kept between attempts: a second one asks TARGET what it has and goes on from there.
    """
    copied = await _copied(source, target, progress, batch)
    tally = await _compared(source, target, batch)
    await target.tidy()
    others = await target.count() - tally.episodes
    return Migrated(copied, tally.episodes - copied, tally.episodes, tally.checksum, others)


async def _copied(
    source: Store, target: Store, progress: Callable[[Progress], None], batch: int
) -> int:
    total, seen, copied, after = await source.count(), 0, 0, ""
    while part := await source.scan(after, batch):
        missing = await target.missing([one.identity for one in part])
        new = [one for one in part if one.identity in missing]
        copied += await target.add(new) if new else 0
        seen, after = seen + len(part), part[-1].identity
        progress(Progress(seen, copied, total))
    return copied


async def _compared(source: Store, target: Store, batch: int) -> Tally:
    """The tally of the source's episodes, once that of the same ones in TARGET is no other."""
    ours, theirs, after = Tally(), Tally(), ""
    differ: list[str] = []
    while part := await source.scan(after, batch):
        after = part[-1].identity
        same = await target.several([one.identity for one in part])
        ours, theirs = ours.plus(part), theirs.plus(same)
        digests = {one.identity: digest(one) for one in same}
        differ += [one.identity for one in part if digests.get(one.identity) != digest(one)]
    if ours != theirs:
        raise Refused("EMY-4030", differ=len(differ), count=ours.episodes, first=differ[0])
    return ours
