"""What a check has to say: where, what, why, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

Path = tuple[str | int, ...]
"""A place in host.yaml: mapping keys and list indexes from the root."""


class Severity(StrEnum):
    """How much a finding weighs; only an error stops a render."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, order=True)
class Location:
    """A span in a file; lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1
    width: int = 1
    text: str = ""
    """The offending line as it stands in the file."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def hidden(self) -> "Location":
        """The same place with the span starred out, for what may be a secret."""
        return self.starred(self.column, self.width)

    def starred(self, column: int, width: int) -> "Location":
        """The same place with a span of its line starred out; columns stay what they are."""
        start = column - 1
        end = min(start + width, len(self.text))
        return replace(self, text=self.text[:start] + "*" * (end - start) + self.text[end:])


@dataclass(frozen=True)
class Finding:
    """One complaint about one place."""

    code: str
    severity: Severity
    location: Location
    message: str
    hint: str
    place: Path = ()
    host: str = ""
    acknowledged: str | None = None
    """The operator's reason, where host.yaml acknowledges this finding."""

    @property
    def blocks(self) -> bool:
        """Whether a render must not go on."""
        return self.severity is Severity.ERROR and self.acknowledged is None

    def acknowledge(self, reason: str) -> "Finding":
        """The same finding, listed with the operator's reason and no longer in the way."""
        return replace(self, acknowledged=reason)


@dataclass(frozen=True)
class Explanation:
    """The long story of a code, with an example of wrong and of right."""

    code: str
    severity: Severity
    title: str
    story: str
    wrong: str
    right: str


def dotted(path: Path) -> str:
    """`storage.pools.ember.data[0]`, as a person writes a place."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By file and line, so that the output is the same in every run."""
    return sorted(findings, key=lambda f: (f.location, f.code, f.message))
