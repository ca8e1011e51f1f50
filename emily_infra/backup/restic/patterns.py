"""Patterns that say what is left out or taken, as restic has to be told them; pure."""

import re
from collections.abc import Iterable
from pathlib import Path

_MEANS_MORE = re.compile(r"([][*?\\])")


def escaped(name: str) -> str:
    """A name as a pattern that means nothing but itself."""
    return _MEANS_MORE.sub(r"\\\1", name)


def below(source: Path, patterns: Iterable[str]) -> list[str]:
    """Patterns for the live paths, made to fit where the snapshots are shown.

    None may match the folders above: `run` would leave everything out, for /run/emily/snapshot.
    """
    root = escaped(str(source)).rstrip("/")
    return [f"{root}{each}" if each.startswith("/") else f"{root}/**/{each}" for each in patterns]
