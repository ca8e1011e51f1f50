"""What restic says with --json, line by line; whatever is not understood is harmless."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True)
class Message:
    """One line: its type, and what it holds."""

    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)

    def number(self, key: str) -> float:
        """A figure; 0 where it is missing or none."""
        value = self.body.get(key)
        return value if isinstance(value, int | float) else 0

    def text(self, key: str) -> str:
        """A word; empty where it is missing or none."""
        value = self.body.get(key)
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> list[str]:
        """A list of words; restic writes null for an empty one."""
        value = self.body.get(key)
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

    @property
    def item(self) -> str:
        """The file that an error is about."""
        return self.text("item")

    @property
    def words(self) -> str:
        """What an error says; restic 0.18 nests it, and other commands do not."""
        error = self.body.get("error")
        inner = error.get("message") if isinstance(error, dict) else None
        said = inner if isinstance(inner, str) else self.text("message")
        return said.strip()


def parse(line: bytes) -> Message:
    """A line of restic; plain text becomes a message of kind `text`, half a line too."""
    try:
        body = json.loads(line) if line.lstrip()[:1] == b"{" else None
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        kind = body.get("message_type")
        return Message(kind if isinstance(kind, str) else "", body)
    return Message("text", {"message": line.decode(errors="replace").strip()})


@dataclass(frozen=True)
class Copy:
    """A snapshot of restic's."""

    id: str
    time: datetime
    host: str
    tags: tuple[str, ...]
    paths: tuple[str, ...]
    summary: Message = Message("summary")
    original: str = ""
    """Its id before it was tagged, if it was."""


@dataclass(frozen=True)
class Group:
    """What `forget` makes of the copies of one host and its tags."""

    host: str
    tags: tuple[str, ...]
    keep: tuple[Copy, ...]
    remove: tuple[Copy, ...]
    reasons: Mapping[str, tuple[str, ...]]
    """By the id of a copy that is kept."""


def copies(text: bytes) -> list[Copy]:
    """The answer of `restic snapshots`, the oldest first; ValueError where it is something else."""
    return sorted((_copy(each) for each in _list(text)), key=lambda copy: (copy.time, copy.id))


def groups(text: bytes) -> list[Group]:
    """The answer of `restic forget`; restic says nothing at all where nothing matched."""
    return [_group(each) for each in _list(text)] if text.strip() else []


def moment(text: str) -> datetime:
    """A time of restic's, which has nanoseconds and a zone; UTC where it names none."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"no time: {text[:40]!r}")
    whole, fraction, zone = found.groups()
    micro = (fraction or "0")[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{whole}.{micro}{zone or 'Z'}").astimezone(UTC)


def _list(text: bytes) -> Iterator[dict[str, Any]]:
    data = json.loads(text)
    for each in data or ():  # null is restic's empty list
        if not isinstance(each, dict):
            raise ValueError("a list of something else")
        yield each


def _copy(raw: Mapping[str, Any]) -> Copy:
    summary = raw.get("summary")
    return Copy(
        id=str(raw["id"]),
        time=moment(str(raw["time"])),
        host=str(raw.get("hostname", "")),
        tags=tuple(raw.get("tags") or ()),
        paths=tuple(raw.get("paths") or ()),
        original=str(raw.get("original") or ""),
        summary=Message("summary", summary if isinstance(summary, dict) else {}),
    )


def _group(raw: Mapping[str, Any]) -> Group:
    reasons = {
        str(each["snapshot"]["id"]): tuple(each.get("matches") or ())
        for each in raw.get("reasons") or ()
    }
    return Group(
        host=str(raw.get("host", "")),
        tags=tuple(raw.get("tags") or ()),
        keep=tuple(_copy(each) for each in raw.get("keep") or ()),
        remove=tuple(_copy(each) for each in raw.get("remove") or ()),
        reasons=reasons,
    )
