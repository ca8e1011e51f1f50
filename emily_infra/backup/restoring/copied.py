"""Restoring from a repository: restic writes, and what it counted is counted again."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from emily_infra.backup.faults import NoSuchVersion, NotRestored
from emily_infra.backup.progress import Going, Progress, silent
from emily_infra.backup.restic.messages import Message
from emily_infra.backup.restic.patterns import escaped
from emily_infra.backup.restic.program import Call, Restic
from emily_infra.backup.restoring.source import NOTHING, Measure

_WAIT = 1800.0
"""Seconds for a prune to let go of the repository."""


@dataclass(frozen=True)
class Copied:
    """A path in a copy."""

    restic: Restic
    id: str
    path: Path
    """As restic knows it: below the folder of mounted snapshots."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.name

    @cached_property
    def total(self) -> Measure:
        """What restic would write."""
        heard = _Heard()
        words = self._words(Path(os.devnull).parent / "emily-nowhere")
        self.restic.must(Call((*words, "--dry-run"), wait=_WAIT), heard.hear)
        if not heard.summary:
            raise NotRestored(
                f"restic said nothing of copy {self.id[:8]} of {self.restic.name}",
                hint="try it by hand: " + " ".join(("restic", *words)),
            )
        if not heard.total.entries:
            raise NoSuchVersion(
                f"copy {self.id[:8]} of {self.restic.name} does not hold {self.path}",
                hint="see where it was: emily-infra backup list PATH",
            )
        return heard.total

    def measure(self) -> Measure:
        """How much it is; holes are counted as if they were full."""
        return self.total

    def write(self, folder: Path, progress: Progress) -> Measure:
        """Restore it, and believe the counts rather than the exit code."""
        expected = self.total
        heard = _Heard(progress)
        done = self.restic.talk(Call(self._words(folder), wait=_WAIT), heard.hear)
        if done.status:
            raise self.restic.fault(done)
        if heard.done != expected or done.complaints:
            said = "".join(f"\n  {each}" for each in done.complaints[:10])
            raise NotRestored(
                f"{heard.done.entries} of {expected.entries} entries and {heard.done.bytes} of "
                f"{expected.bytes} bytes came out of copy {self.id[:8]} of "
                f"{self.restic.name}{said}",
                hint=f"have the repository read: emily-infra backup verify {self.restic.name}",
            )
        return heard.done

    def _words(self, folder: Path) -> tuple[str, ...]:
        # Its own folder is named by a pattern, not by the subfolder: restic gives what stands
        # directly in the target its owner, mode and times, and never the target itself.
        include = "/" + escaped(self.name)
        where = ("--target", str(folder), "--include", include, "--sparse")
        return ("restore", f"{self.id}:{self.path.parent}", *where)


@dataclass
class _Heard:
    """What `restic restore --json` has said so far."""

    progress: Progress = silent
    total: Measure = NOTHING
    done: Measure = NOTHING
    summary: bool = False

    def hear(self, message: Message) -> None:
        """Take in a message."""
        if message.kind not in ("status", "summary"):
            return
        self.summary |= message.kind == "summary"
        number = {key: int(message.number(key)) for key in _FIGURES}
        self.total = Measure(number["total_files"], number["total_bytes"])
        self.done = Measure(
            number["files_restored"] + number["files_skipped"],
            number["bytes_restored"] + number["bytes_skipped"],
        )
        self.progress(
            Going(self.done.bytes, self.total.bytes, self.done.entries, self.total.entries)
        )


_FIGURES = (
    "total_files", "total_bytes", "files_restored", "files_skipped", "bytes_restored",
    "bytes_skipped",
)  # fmt: skip
