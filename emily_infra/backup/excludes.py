"""Patterns of what is left out, as restic has to be told them; pure."""

import re
from collections.abc import Iterable
from pathlib import Path

_MEANS_MORE = re.compile(r"([][*?\\])")


def below(source: Path, patterns: Iterable[str]) -> list[str]:
    """Patterns for the live paths, made to fit where the snapshots are shown.

    None may match the folders above: `run` would leave everything out, for /run/emily/snapshot.
    """
    root = _MEANS_MORE.sub(r"\\\1", str(source)).rstrip("/")
    return [f"{root}{each}" if each.startswith("/") else f"{root}/**/{each}" for each in patterns]
