"""Files and links that a store path will consist of, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class File:
    """A file with this content."""

    content: str | bytes
    executable: bool = False


@dataclass(frozen=True)
class Link:
    """A symbolic link, kept as written."""

    target: str


Tree = Mapping[str, File | Link]
"""Entries by their path below the root."""


@dataclass(frozen=True)
class StoreText:
    """A text that becomes a store path of its own, so that what names it changes only with it."""

    content: str
    executable: bool = False


def token(name: str) -> str:
    """What stands for the path of a StoreText until the store has given it one."""
    return f"@store:{name}@"


def package(name: str) -> str:
    """What stands for the store path of a package."""
    return f"@package:{name}@"


def put(tree: Tree, folder: Path) -> None:
    """Write a tree into an empty folder."""
    for name, entry in sorted(tree.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry, Link):
            path.symlink_to(entry.target)
            continue
        content = entry.content
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o755 if entry.executable else 0o644)
