"""One `restic backup`: how it is called, and what it says while it goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emily_infra.backup.ledger import Counted
from emily_infra.backup.progress import Going, Progress, silent

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
    upload_kib: int | None = None

    def words(self) -> tuple[str, ...]:
        """The arguments that say so; host and tag are those of the repository."""
        limit = ("--limit-upload", str(self.upload_kib)) if self.upload_kib else ()
        parent = ("--parent", self.parent) if self.parent else ("--group-by", "host,tags")
        left_out = [word for each in self.exclude for word in ("--exclude", each)]
        time = self.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        return ("--time", time, *parent, *limit, *left_out, "--", *map(str, self.paths))


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

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take in a message."""
        match message.get("message_type"):
            case "status":
                self.progress(self._going(message))
            case "error":
                self._trouble(message)
            case "summary":
                self.id = str(message.get("snapshot_id", ""))
                self.counted = Counted(
                    files=message.get("total_files_processed", 0),
                    bytes=message.get("total_bytes_processed", 0),
                    added=message.get("data_added_packed", message.get("data_added", 0)),
                )

    def _going(self, message: Mapping[str, Any]) -> Going:
        return Going(
            bytes=message.get("bytes_done", 0),
            of_bytes=message.get("total_bytes", 0),
            files=message.get("files_done", 0),
            of_files=message.get("total_files", 0),
            now=self._live(next(iter(message.get("current_files") or ()), "")),
        )

    def _trouble(self, message: Mapping[str, Any]) -> None:
        if message.get("during") == "scan":  # it is met again when it is read
            return
        if not self.unreadable:
            self.on_trouble()
        self.unreadable += 1
        if len(self.names) < NAMED:
            self.names.append(self._live(str(message.get("item", ""))))

    def _live(self, path: str) -> str:
        """The path that a person knows."""
        root = str(self.source).rstrip("/")
        return path.removeprefix(root) if path.startswith(f"{root}/") else path
