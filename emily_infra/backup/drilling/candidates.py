"""Which copy is drilled: the newest good one whose snapshot is still here to compare with."""

from collections.abc import Iterable
from dataclasses import dataclass

from emily_infra.backup import catalogue, ledger
from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.copies import listed
from emily_infra.backup.here import Here
from emily_infra.backup.ledger import Copy
from emily_infra.backup.restic.program import Restic


@dataclass(frozen=True)
class Pair:
    """A copy, and the snapshot of a dataset that it was made from."""

    copy: Copy
    snapshot: Snapshot


def candidates(here: Here, restic: Restic) -> list[Copy]:
    """The good copies that are in the repository, the newest first."""
    there = {each.copy.id: each for each in listed(restic)}
    known = ledger.load(here, restic.name).copies
    good = [each for each in known if each.verdict == "good" and each.id in there]
    if not good:  # of what is not remembered, its time tells which snapshots it is of
        judged = {each.first_id for each in known}
        good = [
            each.copy
            for each in there.values()
            if not each.marked and each.copy.first_id not in judged
        ]
    return sorted(good, key=lambda each: each.time, reverse=True)


def pair(here: Here, dataset: str, copies: Iterable[Copy]) -> Pair | None:
    """The newest that can be compared; a snapshot is known by its guid, not by its name."""
    taken = catalogue.snapshots(here, dataset)
    by_guid = {each.guid: each for each in taken}
    by_time = {each.creation: each for each in taken if each.mine}
    for copy in copies:
        if copy.snapshots:
            own = copy.snapshots.get(dataset)
            found = by_guid.get(own.guid) if own else None
        else:
            found = by_time.get(copy.time)
        if found:
            return Pair(copy, found)
    return None
