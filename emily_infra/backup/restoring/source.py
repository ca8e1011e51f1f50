"""What a restore reads from, and what it owes whoever waits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emily_infra.backup.progress import Progress


@dataclass(frozen=True)
class Measure:
    """How much there is to restore."""

    entries: int
    bytes: int


NOTHING = Measure(0, 0)


class Source(Protocol):
    """A version of a path, somewhere."""

    @property
    def name(self) -> str:
        """What it is called in the folder that it is written to."""

    def measure(self) -> Measure:
        """How much it is."""

    def write(self, folder: Path, progress: Progress) -> Measure:
        """Make FOLDER/NAME the same in everything, or raise; what really was written."""
