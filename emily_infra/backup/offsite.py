"""Copies of the newest snapshots in a repository."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property

from emily_infra.backup import copies, figures, ledger, pools, source
from emily_infra.backup.choosing import Chosen
from emily_infra.backup.copies import Marking, OutOfTime
from emily_infra.backup.copying import Heard, Order
from emily_infra.backup.faults import DONE, INCOMPLETE, NothingToCopy
from emily_infra.backup.here import Here
from emily_infra.backup.hours import closes, opens
from emily_infra.backup.ledger import Copy, Running
from emily_infra.backup.locks import holder, locked
from emily_infra.backup.names import pool_of
from emily_infra.backup.progress import Progress, silent
from emily_infra.backup.restic.faults import ResticFailed
from emily_infra.backup.restic.patterns import below
from emily_infra.backup.restic.program import Restic
from emily_infra.backup.restic.repository import contact
from emily_infra.backup.restic.unlock import free

VERB = "offsite"
_UPKEEP = 7200.0
"""Seconds to wait for a run of another kind: a prune or a check of the same repository."""


class Outcome(Enum):
    """What came of a run."""

    COPIED = "copied"
    THERE = "there already"
    CLOSED = "outside of its hours"
    STOPPED = "stopped at the end of its hours"


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    repository: str
    at_any_hour: bool = False
    accept_shrunk: bool = False
    progress: Progress = silent


@dataclass(frozen=True)
class Report:
    """What came of it."""

    repository: str
    outcome: Outcome
    copy: Copy | None = None
    good: Copy | None = None
    """The newest good one."""
    unreadable: tuple[str, ...] = ()
    """The first of the files that could not be read."""
    lacking: tuple[tuple[str, str], ...] = ()
    """Datasets that are not in the copy, and why."""
    opens: datetime | None = None

    @property
    def exit_code(self) -> int:
        """INCOMPLETE where the run was not outside of its hours and left no good copy."""
        if self.outcome is Outcome.STOPPED:
            return INCOMPLETE
        return INCOMPLETE if self.copy and self.copy.verdict != "good" else DONE


def offsite(here: Here, request: Request) -> Report:
    """Copy the newest snapshots of a repository's datasets, unless that was done."""
    name = request.repository
    begin = opens(here.repository(name).hours, here.now())
    if begin and not request.at_any_hour:
        return Report(name, Outcome.CLOSED, opens=begin)
    with locked(here, f"repository-{name}", verb=VERB, wait=_patience(here, name)):
        return _Run(here, request).go()


def _patience(here: Here, repository: str) -> float:
    """Another copy makes this one needless; upkeep of the repository ends, and then it is due."""
    who = holder(here.settings.paths.locks / f"repository-{repository}")
    if who is None or who["verb"] == VERB:
        return 0.0
    here.tell(f"{repository}: waiting for {who['verb']} (process {who['pid']})")
    return _UPKEEP


class _Run:
    """One run, which has the repository for itself."""

    def __init__(self, here: Here, request: Request) -> None:
        self.here = here
        self.request = request
        self.name = request.repository
        self.body = here.repository(self.name)
        self.known = ledger.load(here, self.name)

    @cached_property
    def restic(self) -> Restic:
        """The repository, which answers, opens, and is the one it always was."""
        return contact(self.here, self.name)

    def go(self) -> Report:
        """From what is there to what has come of it."""
        restic = self.restic  # before anything is held
        if self.known.running or not self.known.last:
            free(restic)
            self._settle()
        with source.held(self.here, f"offsite-{self.name}", self._datasets()) as chosen:
            self._say(chosen.remarks)
            if report := self._there(chosen):
                return report
            with source.shown(self.here, chosen):
                return self._copied(chosen)

    def _datasets(self) -> list[str]:
        return list(self.here.settings.copied_to(self.name))

    def _settle(self) -> None:
        """Agree with the repository on what is in it, and finish what a killed run did not."""
        there = copies.listed(self.restic)
        found = [each.copy for each in there]
        self.known = ledger.agreed(self.known, found, self.here.now())
        done = {each.copy.first_id for each in there if each.marked}
        known = self.known.copies
        self._mark([each for each in known if each.verdict != "good" and each.first_id not in done])
        ledger.save(self.here, self.name, self.known)

    def _there(self, chosen: Chosen) -> Report | None:
        """What to say where these very snapshots are in the repository already."""
        if not chosen.snapshots or chosen.lacking or not self._has(chosen):
            return None
        self._settle()  # what is remembered may have been deleted there
        newest = self.known.newest
        if newest is None or not self._has(chosen):
            return None
        if newest.verdict == "shrunk" and self.request.accept_shrunk:
            newest = self._unmark(newest.model_copy(update={"verdict": "good"}))
            self.known = self.known.having(newest)
            ledger.save(self.here, self.name, self.known)
        self._publish()
        return Report(self.name, Outcome.THERE, copy=newest, good=self.known.good)

    def _has(self, chosen: Chosen) -> bool:
        """A partial copy is made again: it may go better this time."""
        newest = self.known.newest
        return newest is not None and newest.is_of(chosen) and newest.verdict != "partial"

    def _copied(self, chosen: Chosen) -> Report:
        if not chosen.snapshots:
            self._say([f"{dataset}: {why}" for dataset, why in sorted(chosen.lacking.items())])
            raise NothingToCopy(
                f"{self.name}: none of its datasets has a snapshot that can be read",
                hint="take one: emily-infra backup snapshot",
            )
        self._begun(chosen)
        began = time.monotonic()
        end = None if self.request.at_any_hour else closes(self.body.hours, self.here.now())
        try:
            heard = self._made(chosen, end)
        except OutOfTime:
            return self._stopped(end or self.here.now())
        copy = self._judged(chosen, heard, time.monotonic() - began)
        return Report(
            self.name, Outcome.COPIED, copy, self.known.good, tuple(heard.names),
            tuple(sorted(chosen.lacking.items())),
        )  # fmt: skip

    def _made(self, chosen: Chosen, end: datetime | None) -> Heard:
        """The copy; where the one that it builds on was deleted, on the newest that is there."""
        left = (end - self.here.now()).total_seconds() if end else float("inf")
        parent, heard = self.known.newest, self._hearing(chosen)
        try:
            copies.made(self.restic, self._order(chosen, parent), heard, left)
        except ResticFailed:
            if parent is None or self._is_there(parent):
                raise
            self._settle()
            self._begun(chosen)
            heard = self._hearing(chosen)
            copies.made(self.restic, self._order(chosen, self.known.newest), heard, left)
        return heard

    def _is_there(self, copy: Copy) -> bool:
        return any(each.copy.first_id == copy.first_id for each in copies.listed(self.restic))

    def _begun(self, chosen: Chosen) -> None:
        """Write down what is about to be copied, for whoever comes after a kill."""
        running = Running(
            time=chosen.newest, snapshots=ledger.taken(chosen),
            lacking=tuple(sorted(chosen.lacking)), began=self.here.now(),
        )  # fmt: skip
        self.known = self.known.model_copy(update={"running": running})
        ledger.save(self.here, self.name, self.known)

    def _hearing(self, chosen: Chosen) -> Heard:
        def trouble() -> None:
            assert self.known.running
            running = self.known.running.model_copy(update={"unreadable": 1})
            self.known = self.known.model_copy(update={"running": running})
            ledger.save(self.here, self.name, self.known)

        # A reader that hangs in the kernel is told nothing, and restic waits for it for ever.
        read = frozenset(pool_of(each.dataset) for each in chosen.snapshots)
        progress = pools.watched(self.here, read, self.request.progress)
        return Heard(self.here.settings.paths.source, progress, trouble)

    def _order(self, chosen: Chosen, parent: Copy | None) -> Order:
        return Order(
            paths=tuple(source.topmost(self.here.settings, chosen.snapshots)),
            time=chosen.newest,
            exclude=tuple(below(self.here.settings.paths.source, self.body.exclude)),
            parent=parent.id if parent else "",
        )

    def _judged(self, chosen: Chosen, heard: Heard, seconds: float) -> Copy:
        """Remember the copy, and mark it in the repository where it is not good."""
        assert heard.counted
        accepted = None if self.request.accept_shrunk else self.known.good
        unread = heard.unreadable + len(chosen.lacking)
        blank = not (self.request.accept_shrunk or heard.counted.files) and source.has_files(
            self.here.settings.paths.source
        )
        copy = Copy(
            id=heard.id, time=chosen.newest, snapshots=ledger.taken(chosen),
            counted=heard.counted, ended=self.here.now(), seconds=round(seconds, 3),
            verdict=ledger.judged(heard.counted, accepted, unread=unread, blank=blank),
            unreadable=heard.unreadable, lacking=tuple(sorted(chosen.lacking)),
        )  # fmt: skip
        self.known = self.known.having(copy)
        if copy.verdict != "good":  # before it is remembered: a kill in between is a run to finish
            self._mark([copy])
        ledger.save(self.here, self.name, self.known)
        self._publish()
        return next(each for each in self.known.copies if each.first_id == copy.first_id)

    def _stopped(self, end: datetime) -> Report:
        """Its hours are over; the next run goes on from restic's last index, ten minutes ago."""
        now = self.here.now()
        self.known = self.known.model_copy(
            update={"running": None, "unfinished": now, "last": now,
                    "first": self.known.first or now}
        )  # fmt: skip
        ledger.save(self.here, self.name, self.known)
        self._publish()
        begin = opens(self.body.hours, end)
        return Report(self.name, Outcome.STOPPED, good=self.known.good, opens=begin)

    def _mark(self, wrong: list[Copy]) -> None:
        """Say in the repository which copies are not good, for whoever has only that."""
        if self.body.append_only:  # there, a tag could not be changed
            for each in wrong:
                copies.noted(self.restic, each, good=False)
            return
        if not wrong:
            return
        renamed = copies.marked(self.restic, wrong, Marking.ADD)
        known = tuple(_renamed(each, renamed) for each in self.known.copies)
        self.known = self.known.model_copy(update={"copies": known})

    def _unmark(self, copy: Copy) -> Copy:
        if self.body.append_only:
            copies.noted(self.restic, copy, good=True)
            return copy
        return _renamed(copy, copies.marked(self.restic, [copy], Marking.REMOVE))

    def _publish(self) -> None:
        figures.publish(self.here, self.name, self.known)

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self.here.tell(line)


def _renamed(copy: Copy, renamed: Mapping[str, str]) -> Copy:
    """A copy by the id that its tag has given it."""
    update = {"id": renamed.get(copy.id, copy.id), "origin": copy.first_id}
    return copy.model_copy(update=update)
