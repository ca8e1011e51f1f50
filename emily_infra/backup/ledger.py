"""What a host remembers of its copies: one file a repository, rebuilt from it when lost."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from emily_infra.backup import state
from emily_infra.backup.choosing import Chosen
from emily_infra.backup.here import Here
from emily_infra.backup.retention import SLACK
from emily_infra.backup.settings import Part

REMEMBERED = 100
"""Copies; a repository that nothing is forgotten from gathers them without end."""
SHRINKS = 0.2
"""The part of files or bytes that may be gone without a word from the operator."""

_FOREVER = datetime.max.replace(tzinfo=UTC)

Verdict = Literal["good", "partial", "shrunk"]


class Taken(Part):
    """A ZFS snapshot that a copy was made from."""

    name: str
    """What stands behind the @."""
    guid: int
    creation: datetime


class Counted(Part):
    """What restic counted in a copy."""

    files: int = 0
    bytes: int = 0
    added: int = 0
    """Bytes that it put into the repository."""


class Copy(Part):
    """A copy in a repository."""

    id: str
    origin: str = ""
    """Its first id, where it has another one since it was tagged."""
    time: datetime
    """Of the newest ZFS snapshot in it; restic's own time of the copy."""
    snapshots: dict[str, Taken] = {}
    """By dataset; none where the copy was found in the repository and not remembered."""
    counted: Counted = Counted()
    ended: datetime
    seconds: float = 0.0
    verdict: Verdict
    unreadable: int = 0
    """Files, or folders, that could not be read."""
    lacking: tuple[str, ...] = ()
    """Datasets that are not in it, though they should be."""

    @property
    def first_id(self) -> str:
        """What stays the same, whatever tags it is given."""
        return self.origin or self.id

    @property
    def oldest(self) -> datetime:
        """Up to when everything that changed is in it."""
        return min((each.creation for each in self.snapshots.values()), default=self.time)

    def is_of(self, chosen: Chosen) -> bool:
        """Whether it was made from these very snapshots."""
        if not self.snapshots:
            return self.time == chosen.newest
        return {name: each.guid for name, each in self.snapshots.items()} == chosen.guids


class Running(Part):
    """A run that was begun; it stays where the run was killed."""

    time: datetime
    snapshots: dict[str, Taken]
    lacking: tuple[str, ...] = ()
    unreadable: int = 0
    began: datetime


class Ledger(Part):
    """All that is remembered of a repository."""

    copies: tuple[Copy, ...] = ()
    """In the order of their times; those that a wrong clock dated ahead come first."""
    running: Running | None = None
    first: datetime | None = None
    """The end of the first run that was remembered, and of the last."""
    last: datetime | None = None
    unfinished: datetime | None = None
    """When a run was stopped before its end, if none has ended since."""
    stored: int | None = None
    """Bytes in the repository, as far as is known without asking it for everything."""

    @property
    def newest(self) -> Copy | None:
        """The newest copy, good or not."""
        return self.copies[-1] if self.copies else None

    @property
    def good(self) -> Copy | None:
        """The newest good copy."""
        return next((each for each in reversed(self.copies) if each.verdict == "good"), None)

    def having(self, copy: Copy) -> "Ledger":
        """With a copy that has ended; what was known of the same one is replaced."""
        others = [each for each in self.copies if each.first_id != copy.first_id]
        added = copy.counted.added if len(others) == len(self.copies) else 0
        copies = _in_order([*others, copy], copy.ended)[-REMEMBERED:]
        return self.model_copy(
            update={
                "copies": tuple(copies), "running": None, "unfinished": None,
                "first": self.first or copy.ended, "last": copy.ended,
                "stored": (self.stored or 0) + added,
            }
        )  # fmt: skip


def taken(chosen: Chosen) -> dict[str, Taken]:
    """What is remembered of the snapshots of a run."""
    return {
        each.dataset: Taken(name=each.name, guid=each.guid, creation=each.creation)
        for each in chosen.snapshots
    }


def judged(counted: Counted, last: Copy | None, *, unread: int, blank: bool = False) -> Verdict:
    """What a copy is worth; UNREAD counts the datasets and files that are not in it.

    BLANK is one without a file of a source that may have some: good only after another such.
    """
    if unread:
        return "partial"
    if blank and not (last and not last.counted.files):
        return "shrunk"
    if last and (
        counted.files < last.counted.files * (1 - SHRINKS)
        or counted.bytes < last.counted.bytes * (1 - SHRINKS)
    ):
        return "shrunk"
    return "good"


def copied(known: Iterable[Ledger], dataset: str) -> datetime | None:
    """Up to when a dataset is in a good copy of every one of these; None where one has none."""
    moments = []
    for each in known:
        good = each.good
        if not good or (good.snapshots and dataset not in good.snapshots):
            return None
        taken = good.snapshots.get(dataset)
        moments.append(taken.creation if taken else good.time)
    return min(moments, default=None)


def _in_order(copies: Iterable[Copy], now: datetime) -> list[Copy]:
    """By time; one from the future would be the newest for years, whatever came after it."""
    return sorted(copies, key=lambda each: (each.time - SLACK <= now, each.time, each.ended))


def agreed(ledger: Ledger, there: Iterable[Copy], now: datetime = _FOREVER) -> Ledger:
    """What is remembered, made to agree with the copies that a repository has.

    What it no longer has is forgotten. What it has and nobody remembers is what a killed run left,
    or all there is after the memory was lost: it is taken over, and judged like any other.
    """
    known = {each.first_id: each for each in ledger.copies}
    copies: list[Copy] = []
    good: Copy | None = None
    for found in _in_order(there, now):
        old = known.get(found.first_id)
        copy = _same(old, found) if old else _adopted(found, ledger.running, good)
        copies.append(copy)
        good = copy if copy.verdict == "good" else good
    return ledger.model_copy(
        update={"copies": tuple(copies[-REMEMBERED:]), "running": None, "stored": ledger.stored
                or sum(each.counted.added for each in copies)}
    )  # fmt: skip


def _same(old: Copy, found: Copy) -> Copy:
    return old if old.id == found.id else old.model_copy(update={"id": found.id})


def _adopted(found: Copy, running: Running | None, good: Copy | None) -> Copy:
    """A copy that only the repository knows; the run that made it wrote down what it had seen."""
    own = running if running and running.time == found.time else None
    unread = own.unreadable + len(own.lacking) if own else 0
    blank = own is not None and not found.counted.files
    verdict = judged(found.counted, good, unread=unread, blank=blank)
    return found.model_copy(
        update={
            "snapshots": own.snapshots if own else {},
            "lacking": own.lacking if own else (),
            "unreadable": own.unreadable if own else 0,
            "verdict": found.verdict if found.verdict != "good" else verdict,
        }
    )


def path(here: Here, repository: str) -> Path:
    """The file of a repository."""
    return here.settings.paths.state / "backup" / f"{repository}.json"


def load(here: Here, repository: str) -> Ledger:
    """What is remembered of a repository; nothing where that was lost."""
    file = path(here, repository)
    was_there = file.exists()
    try:
        data = state.read(file)
        if data is not None:
            return Ledger.model_validate(data)
    except ValidationError:
        pass
    if was_there:
        here.tell(f"{file}: it cannot be read; what it said is gathered from the repository again")
    return Ledger()


def save(here: Here, repository: str, ledger: Ledger) -> None:
    """Remember it, safe from a kill."""
    state.write(path(here, repository), ledger.model_dump(mode="json"))
