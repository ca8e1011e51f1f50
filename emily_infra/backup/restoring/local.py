"""Restoring from a snapshot of this host: a copy, held against the snapshot afterwards."""

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emily_infra.backup import catalogue
from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.compare import Comparison, shown
from emily_infra.backup.faults import NotRestored
from emily_infra.backup.here import Here, this_run
from emily_infra.backup.looking import viewing
from emily_infra.backup.progress import Going, Progress
from emily_infra.backup.restoring.source import Measure
from emily_infra.backup.versions import Place
from emily_infra.machine.child import Program
from emily_infra.machine.stream import stream

_NAMED = 10


@dataclass(frozen=True)
class Shown:
    """A path in a snapshot that is mounted for this run."""

    here: Here
    path: Path
    name: str

    @property
    def is_there(self) -> bool:
        """Whether the snapshot has it."""
        return os.path.lexists(self.path)

    def measure(self) -> Measure:
        """How many entries, and how many bytes on the disk."""
        status = self.path.lstat()
        entries, size = 1, status.st_blocks * 512
        if stat.S_ISDIR(status.st_mode):
            for top, folders, names in os.walk(os.fsencode(self.path)):
                entries += len(folders) + len(names)
                size += sum(os.lstat(os.path.join(top, each)).st_blocks * 512 for each in names)
        return Measure(entries, size)

    def write(self, folder: Path, progress: Progress) -> Measure:
        """A copy with everything that a file system keeps, held against the snapshot."""
        target = folder / self.name
        ending = stream(self._copying(target), _Counter(self.measure(), progress).hear)
        comparison = Comparison(os.fsencode(self.path), os.fsencode(target))
        found = [
            f"  {shown(each.path) or '.'}: {each.what} {each.found}".rstrip()
            for each, _ in zip(comparison.tree(), range(_NAMED), strict=False)
        ]
        if found or ending.status:
            raise NotRestored(
                "\n".join(["what was copied differs from the snapshot:", *found, ending.stderr]),
                hint="is the place on a file system that keeps owners, access lists and "
                f"attributes? df --output=fstype {folder.parent}",
            )
        return Measure(comparison.tally.entries, comparison.tally.bytes)

    def _copying(self, target: Path) -> Program:
        kept = "mode,ownership,timestamps,links,xattr"
        words = ("cp", "-dR", f"--preserve={kept}", "--no-target-directory", "--verbose", "--")
        argv = (*words, os.fsdecode(self.path), os.fsdecode(target))
        return Program(argv, {**self.here.environment, "LC_ALL": "C.UTF-8"})


@dataclass
class _Counter:
    """Counts what cp names; how many bytes that is can only be guessed."""

    total: Measure
    progress: Progress
    entries: int = 0

    def hear(self, line: bytes) -> None:
        """One more entry is copied."""
        self.entries += 1
        share = min(1.0, self.entries / self.total.entries)
        now = shown(line.partition(b" -> ")[0].strip(b"'"))
        done = int(self.total.bytes * share)
        files = min(self.entries, self.total.entries)
        self.progress(Going(done, self.total.bytes, files, self.total.entries, now))


@contextlib.contextmanager
def opened(here: Here, wanted: Place, snapshot: Snapshot) -> Iterator[Shown]:
    """A path in a snapshot, which nobody can destroy meanwhile."""
    label = catalogue.tag("restore", this_run())
    together = [snapshot, *_inside(here, wanted, snapshot)]
    names = [each.full for each in together]
    for each in together:
        catalogue.reap(here, "restore", [each])
    catalogue.hold(here, label, names)
    try:
        with viewing(here) as view, view.of(together) as root:
            yield Shown(here, root / wanted.below, wanted.path.name or snapshot.name)
    finally:
        catalogue.release(here, label, names)


def _inside(here: Here, wanted: Place, snapshot: Snapshot) -> Iterator[Snapshot]:
    """The snapshots of the same moment of datasets that are mounted below the path."""
    for name, body in sorted(here.settings.datasets.items()):
        place = body.mountpoint
        if place and place != wanted.path and place.is_relative_to(wanted.path):
            same = [each for each in catalogue.snapshots(here, name) if each.name == snapshot.name]
            if same and name != snapshot.dataset:
                yield same[0]
            elif name != snapshot.dataset:
                here.tell(f"{place}: {name} has no snapshot {snapshot.name}; restore it by itself")
