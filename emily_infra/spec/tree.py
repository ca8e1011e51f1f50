"""A YAML file as a tree in which every key and value knows its place."""

from dataclasses import dataclass, field

from emily_infra.findings import Location, Path
from emily_infra.spec.credentials import blotted

WIDEST_EXCERPT = 1_000
"""A longer line is not quoted: nobody could read it, and every finding would carry it."""

Data = None | bool | int | float | str | tuple["Data", ...] | dict[str, "Data"]

Mark = tuple[int, int]
"""Line and column, both from 0."""


@dataclass(slots=True)
class Node:
    """A value with its place; `weight` is the size of what is below it with aliases expanded."""

    start: Mark
    end: Mark
    data: Data = None
    weight: int = 1
    keys: dict[str, "Node"] = field(default_factory=dict)
    values: dict[str | int, "Node"] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A file's text and the tree read from it."""

    file: str
    lines: tuple[str, ...] = ()
    root: Node | None = None

    @property
    def data(self) -> Data:
        """Plain values: dict, tuple, str, int, float, bool and None."""
        return self.root.data if self.root else None

    def at(self, start: Mark, end: Mark | None = None) -> Location:
        """The span from start to end, cut to the first line, with the line's text less secrets."""
        line, column = start
        text = self.lines[line] if line < len(self.lines) else ""
        last = end[1] if end and end[0] == line else len(text)
        excerpt = blotted(text) if len(text) <= WIDEST_EXCERPT else ""
        return Location(self.file, line + 1, column + 1, max(1, last - column), excerpt)

    def locate(self, path: Path) -> Location:
        """The value at a path, or the nearest key above it that exists."""
        node, span = self.root, None
        for key in path:
            child = node.values.get(key) if node else None
            if node is None or child is None:
                break
            inline = child.start[0] == child.end[0]
            span, node = child if inline else node.keys.get(str(key), child), child
        return self.at(span.start, span.end) if span else Location(self.file)

    def find(self, path: Path) -> Node | None:
        """The node that stands exactly at a path."""
        node = self.root
        for key in path:
            node = node.values.get(key) if node else None
        return node

    def locate_key(self, path: Path) -> Location:
        """The key itself, for a complaint about the key and not about its value."""
        parent = self.find(path[:-1])
        name = parent.keys.get(str(path[-1])) if parent and path else None
        return self.at(name.start, name.end) if name else self.locate(path)
