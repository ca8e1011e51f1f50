"""One `restic backup`: how it is called, and what it says while it goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from emily_infra.backup.ledger import Counted
from emily_infra.backup.progress import Going, Progress, silent
from emily_infra.backup.restic.messages import Message

NAMED = 20
"""Files that could not be read are named up to here; the rest is counted."""


@dataclass(frozen=True)
class Order:
    """What is copied."""

    paths: tuple[Path, ...]
    time: datetime
    exclude: tuple[str, ...] = ()
    parent: str = ""
    """The copy that files are compared with; restic's own choice would pass over partial ones."""

    def words(self) -> tuple[str, ...]:
        """The arguments that say so; host and tag are those of the repository."""
        parent = ("--parent", self.parent) if self.parent else ("--group-by", "host,tags")
        left_out = [word for each in self.exclude for word in ("--exclude", each)]
        time = self.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        return ("--time", time, *parent, *left_out, "--", *map(str, self.paths))


@dataclass
class Heard:
    """What `restic backup --json` has said so far."""

    source: Path
    """Left out of the paths that are told."""
    progress: Progress = silent
    on_trouble: Callable[[], None] = lambda: None
    """Called once, as soon as something cannot be read."""
    unreadable: int = 0
    names: list[str] = field(default_factory=list)
    id: str = ""
    counted: Counted | None = None

    def hear(self, message: Message) -> None:
        """Take in a message."""
        match message.kind:
            case "status":
                self.progress(self._going(message))
            case "error":
                self._trouble(message)
            case "summary":
                self.id = message.text("snapshot_id")
                self.counted = counted(message)

    def _going(self, message: Message) -> Going:
        return Going(
            bytes=int(message.number("bytes_done")),
            of_bytes=int(message.number("total_bytes")),
            files=int(message.number("files_done")),
            of_files=int(message.number("total_files")),
            now=self._live(next(iter(message.texts("current_files")), "")),
        )

    def _trouble(self, message: Message) -> None:
        if message.text("during") == "scan":  # it is met again when it is read
            return
        if not self.unreadable:
            self.on_trouble()
        self.unreadable += 1
        if len(self.names) < NAMED:
            self.names.append(self._live(message.item))

    def _live(self, path: str) -> str:
        """The path that a person knows."""
        root = str(self.source).rstrip("/")
        return path.removeprefix(root) if path.startswith(f"{root}/") else path


def counted(summary: Message) -> Counted:
    """What restic counted, when a copy was made or when it is listed."""
    return Counted(
        files=int(summary.number("total_files_processed")),
        bytes=int(summary.number("total_bytes_processed")),
        # What is stored, compressed; before 0.16 only what went into it.
        added=int(summary.number("data_added_packed") or summary.number("data_added")),
    )
