"""Values out of what programs print; a wrong shape is nothing, never an exception of its own."""

import json
from collections.abc import Iterator, Mapping


def pairs(text: str) -> dict[str, str]:
    """Names and values that NUL bytes keep apart."""
    words = text.split("\0")
    return dict(zip(words[::2], words[1::2], strict=False))


def rows(text: str, width: int) -> Iterator[tuple[str, ...]]:
    """Groups of so many words that NUL bytes keep apart; a group that is not whole is left out."""
    words = text.split("\0")
    for at in range(0, len(words) - width, width):
        yield tuple(words[at : at + width])


def number(text: object) -> int | None:
    """A whole number that is not absurd, or nothing."""
    if isinstance(text, bool) or not isinstance(text, int | float | str):
        return None
    try:
        value = int(text)
    except (ValueError, OverflowError):
        return None
    return value if abs(value) < 1 << 80 else None


Record = Mapping[str, object]


def records(value: object) -> list[Record]:
    """The mappings of a JSON list; whatever else stands in it is left out."""
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, dict)]


def json_of(text: str) -> object:
    """A JSON document; no text is no document."""
    return json.loads(text) if text.strip() else None


def member(record: object, key: str) -> object:
    """A value of a JSON mapping, or nothing."""
    return record.get(key) if isinstance(record, dict) else None


def word(record: object, key: str) -> str:
    """A text of a JSON mapping, or an empty one."""
    value = member(record, key)
    return value if isinstance(value, str) else ""
