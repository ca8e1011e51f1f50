"""Links and files of a few folders: what they are and where they lead."""

from collections.abc import Mapping
from dataclasses import dataclass

from emily_infra.observe.answer import Answer
from emily_infra.observe.values import number, rows


@dataclass(frozen=True)
class Link:
    """A link, or a file if it leads nowhere."""

    path: str
    target: str
    changed: int
    """Seconds since 1970."""
    inode: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


Links = Mapping[str, Link]


def links(answer: Answer) -> Links:
    """Everything that find listed, by path."""
    listed = answer.read("links", lambda text: list(rows(text, 5)))
    return {
        path: Link(path, target if kind == "l" else "", _seconds(time), inode)
        for path, kind, target, time, inode in listed
    }


def below(found: Links, folder: str) -> list[Link]:
    """The entries of a folder and of those in it, in the order of their paths."""
    return [found[path] for path in sorted(found) if path.startswith(f"{folder}/")]


def _seconds(time: str) -> int:
    return number(time.partition(".")[0]) or 0
