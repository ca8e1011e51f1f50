"""`backup drill`: what is in a repository is restored and held against its snapshot."""

import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from emily_infra.backup import catalogue, pools, source
from emily_infra.backup.compare import Comparison, Difference, shown
from emily_infra.backup.drilling import checks, record
from emily_infra.backup.drilling.candidates import Pair, candidates, pair
from emily_infra.backup.drilling.database import NoServer
from emily_infra.backup.drilling.devices import Sieve, can_make_devices
from emily_infra.backup.drilling.extract import Extract, extract
from emily_infra.backup.drilling.leaving_out import left_out
from emily_infra.backup.drilling.room import enough, rooms, taken
from emily_infra.backup.evidence import SHOWN, Finding, Verdict, append
from emily_infra.backup.faults import BackupError
from emily_infra.backup.here import Here, this_run
from emily_infra.backup.ledger import Copy
from emily_infra.backup.locks import locked
from emily_infra.backup.looking import viewing
from emily_infra.backup.names import pool_of
from emily_infra.backup.progress import Progress, silent
from emily_infra.backup.restic.patterns import below
from emily_infra.backup.restic.program import Restic
from emily_infra.backup.restic.repository import contact
from emily_infra.backup.sample import Sample, draw, walk
from emily_infra.backup.settings import Drill
from emily_infra.backup.signing import KEY
from emily_infra.machine import CommandFailed, Expired

_SMALLEST = 8192
"""Bytes that any entry may take, beside its content."""
_PATIENCE = 3600.0
"""Seconds that a whole drill waits for one of a share, which is soon over."""
_REFUSALS = (BackupError, CommandFailed, Expired, OSError)


@dataclass(frozen=True)
class Plan:
    """What is drilled, and by whom."""

    by: str
    seed: int
    whole: bool = False
    key: Path = KEY
    progress: Progress = silent


def drill(here: Here, name: str, plan: Plan) -> Generator[Finding, None, None]:
    """Every dataset of a repository; one that fails keeps no other from being drilled.

    Each finding is in the log, signed, before it is handed out.
    """
    found: list[Finding] = []
    patience = _PATIENCE if plan.whole else 0
    with locked(here, f"drill-{name}", verb="drill", wait=patience):
        datasets = here.settings.copied_to(name)
        try:
            restic = contact(here, name)
            copies = candidates(here, restic)
        except _REFUSALS as error:
            why = str(error)
            results = (Finding(plan.by, name, each, Verdict.NOT_RUN, why=why) for each in datasets)
        else:
            results = (_guarded(here, restic, each, copies, plan) for each in datasets)
        try:
            for each in results:
                found.append(each)
                append(here, each, plan.key)
                yield each
        finally:  # what differs is told, even where the rest took too long and was stopped
            record.publish(here, name, found, of=len(datasets))
        record.attest(here, (plan.key, KEY))


def _guarded(here: Here, restic: Restic, dataset: str, copies: list[Copy], plan: Plan) -> Finding:
    """What came of one dataset; whatever stands in its way is written down."""
    blank = Finding(
        plan.by, restic.name, dataset, Verdict.NOT_RUN, whole=plan.whole, seed=plan.seed
    )
    try:
        pools.alive(here, pool_of(dataset))
        if pools.is_repairing(here, pool_of(dataset)):
            return replace(blank, why=f"{pool_of(dataset)} resilvers; that goes first")
        chosen = pair(here, dataset, copies)
        if chosen is None:
            why = "no good copy of it has its snapshot still here to be compared with"
            return replace(blank, why=why if copies else "there is no good copy of it yet")
        blank = replace(blank, copy=chosen.copy.id, snapshot=chosen.snapshot.full)
        with _held(here, chosen):
            return _drilled(_Case(here, restic, dataset, chosen, plan), blank)
    except _REFUSALS as error:
        return replace(blank, why=str(error))


@contextmanager
def _held(here: Here, chosen: Pair) -> Iterator[None]:
    """Nobody destroys the snapshot meanwhile; what dead drills held is freed first."""
    label = catalogue.tag("drill", this_run())
    catalogue.reap(here, "drill", catalogue.snapshots(here, chosen.snapshot.dataset))
    catalogue.hold(here, label, [chosen.snapshot.full])
    try:
        yield
    finally:
        catalogue.release(here, label, [chosen.snapshot.full])


@dataclass(frozen=True)
class _Case:
    """One dataset, and the copy that is to be proved."""

    here: Here
    restic: Restic
    dataset: str
    chosen: Pair
    plan: Plan

    @property
    def place(self) -> Path:
        """Where the copy has the dataset."""
        return source.place(self.here.settings, self.dataset)

    @property
    def is_left_out(self) -> Callable[[bytes], bool]:
        """Whether a path is not in the copy on purpose, or belongs to another dataset."""
        patterns = below(self.here.settings.paths.source, self.restic.repository.exclude)
        others = {
            bytes(place.relative_to(self.place))
            for name in self.here.settings.datasets
            if (place := source.place(self.here.settings, name)) != self.place
            and place.is_relative_to(self.place)
        }
        excluded = left_out(patterns, bytes(self.place))
        return lambda path: path in others or excluded(path)

    def sample(self, root: bytes, room: int, sieve: Sieve) -> Sample:
        """What is restored: a share, or only counted where it is all of it."""
        size = self.here.settings.drill or Drill(period=0)
        entries = sieve.through(walk(root, self.is_left_out))
        if self.plan.whole:
            return draw(entries, self.plan.seed, files=0, size=0, room=room)
        return draw(entries, self.plan.seed, files=size.files, size=size.size, room=room)


def _drilled(case: _Case, blank: Finding) -> Finding:
    found = rooms(case.here, case.dataset)
    sieve = Sieve(keeps_back=not case.plan.whole and not can_make_devices())
    with viewing(case.here) as view, view.of([case.chosen.snapshot]) as top:
        sample = case.sample(bytes(top), max((each.bytes for each in found), default=0), sieve)
        size, count = (
            (sample.of_bytes, sample.of_files)
            if case.plan.whole
            else (sample.bytes, len(sample.paths))
        )
        if sample.of_files and not count:
            why = f"none of its {sample.of_files} files fits where drills may write"
            return replace(blank, why=why)
        with taken(case.here, enough(found, size + count * _SMALLEST)) as space:
            first = read = _read(case, space / "restored", top, sample)
            if first.differences:  # a flipped bit of memory is no reason to wake anybody
                contact(case.here, case.restic.name)
                read = _read(case, space / "again", top, sample)
            proved = _proved(case, space, differs=read.differing > 0)
    bad = [answer for answer in proved.values() if answer != checks.GOOD]
    remarks = [*read.complaints[:3]] if read.differing else []
    if sieve.remark:
        remarks.append(sieve.remark)
    if first.differing and not read.differing:
        remarks.append(_passed_off(case, first))
    return replace(
        blank,
        verdict=Verdict.DIFFERS if read.differing or bad else Verdict.SAME,
        files=read.files,
        bytes=read.bytes,
        seconds=round(read.seconds),
        hash=read.digest,
        differing=read.differing,
        differences=_named(read, SHOWN),
        checks=proved,
        why="; ".join(remarks),
    )


def _named(read: "_Reading", most: int) -> tuple[str, ...]:
    return tuple(f"{shown(each.path) or '.'}: {each.what}" for each in read.differences[:most])


def _passed_off(case: _Case, first: "_Reading") -> str:
    """What is signed and told of a first reading that differed, where a second one did not."""
    named = ", ".join(_named(first, 3))
    remark = f"a first reading differed ({first.differing} in all; {named}), a second one did not"
    case.here.tell(f"{case.dataset}: {remark}: test this machine's memory, and its line")
    return remark


def _proved(case: _Case, space: Path, *, differs: bool) -> dict[str, str]:
    """What became of the checks; that they cannot be run hides nothing that differs."""
    if not case.plan.whole:
        return {}
    try:
        return checks.prove(case.here, case.dataset, space)
    except NoServer as error:
        if not differs:
            raise
        case.here.tell(f"{case.dataset}: {error}")
        return {}


@dataclass(frozen=True)
class _Reading:
    """What came out of the copy, held against the snapshot."""

    files: int
    bytes: int
    seconds: float
    digest: str
    differing: int
    differences: tuple[Difference, ...]
    complaints: tuple[str, ...]


def _read(case: _Case, folder: Path, top: Path, sample: Sample) -> _Reading:
    folder.mkdir(mode=0o700)
    paths = None if case.plan.whole else sample.paths
    began = time.monotonic()
    wanted = Extract(case.restic, case.chosen.copy.id, case.place, paths)
    complaints = (
        () if paths is not None and not paths else extract(wanted, folder, case.plan.progress)
    )
    seconds = time.monotonic() - began
    comparison = Comparison(bytes(top), bytes(folder / case.place.name), case.is_left_out)
    found: list[Difference] = []
    differing = 0
    for each in comparison.tree() if paths is None else comparison.paths(paths):
        differing += 1
        if len(found) < SHOWN:
            found.append(each)
    if differing and folder.name == "restored":
        shutil.rmtree(folder)
    return _Reading(
        comparison.tally.files, comparison.tally.bytes, seconds, comparison.digest, differing,
        tuple(found), complaints,
    )  # fmt: skip
