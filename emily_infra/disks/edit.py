"""Another name for a disk in host.yaml, wherever it stands; every other byte stays what it is."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from emily_infra.disks.faults import NotEdited
from emily_infra.findings import Path, dotted
from emily_infra.spec.load import parse
from emily_infra.spec.source import Data, Node, Source, read, resolve
from emily_infra.spec.tree import Mark

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_PART = re.compile(r"(?P<disk>.+)-part[1-9]\d?")
_QUOTES = ("'", '"')
_VDEVS = frozenset({"data", "special", "log", "cache", "spares"})
"""The parts of a pool that name disks."""


@dataclass(frozen=True)
class Renaming:
    """A disk that takes the place of another one."""

    old: str
    new: str
    size: str | None = None
    """What is printed on the new disk, where that is something else."""

    def of(self, name: Data) -> Data:
        """A disk's or partition's name afterwards."""
        if name == self.old:
            return self.new
        found = _PART.fullmatch(name) if isinstance(name, str) else None
        if isinstance(name, str) and found and found["disk"] == self.old:
            return self.new + name.removeprefix(self.old)
        return name


@dataclass(frozen=True)
class Edited:
    """host.yaml afterwards."""

    text: bytes
    places: tuple[str, ...]
    """What was changed, as paths."""
    mentions: tuple[int, ...] = ()
    """Lines that name the old disk all the same: comments, or text that only a person can read."""


@dataclass(frozen=True)
class _Change:
    """A span of the file that becomes something else."""

    start: int
    end: int
    text: str
    place: str


def edited(file: str, raw: bytes, renaming: Renaming) -> Edited:
    """The file with the disk renamed, or NotEdited: half of an edit is none."""
    source, findings = read(file, raw)
    if findings or source.root is None:
        raise _unsafe(file, "it is not well-formed as it stands")
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    text = raw.removeprefix(mark).decode()
    page = _Page(file, text, renaming)
    changes = {change.start: change for change in page.changes(source)}
    fresh = text
    for at in sorted(changes, reverse=True):
        fresh = fresh[:at] + changes[at].text + fresh[changes[at].end :]
    result = mark + fresh.encode()
    if not changes or not _is_meant(file, source, result, renaming):
        raise _unsafe(file, f"{renaming.old} does not stand in it in a way that can be rewritten")
    places = tuple(changes[at].place for at in sorted(changes))
    return Edited(result, places, tuple(_mentions(fresh, renaming.old)))


def _unsafe(file: str, why: str) -> NotEdited:
    return NotEdited(
        f"{file} was not changed: {why}",
        hint="write the new disk into it by hand, then: emily-infra check",
    )


def _mentions(text: str, name: str) -> Iterator[int]:
    whole = re.compile(rf"(?<![\w.:+-]){re.escape(name)}(?![\w.:+]|-(?!part))")
    for number, line in enumerate(_BREAK.split(text), start=1):
        if whole.search(line):
            yield number


@dataclass
class _Page:
    """The text with the places of its lines."""

    file: str
    text: str
    renaming: Renaming
    _starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._starts = [0, *(found.end() for found in _BREAK.finditer(self.text))]

    def changes(self, source: Source) -> Iterator[_Change]:
        """Every span that has to change; what an alias repeats changes where it stands."""
        old, new = self.renaming.old, self.renaming.new
        disks = source.find(("storage", "disks"))
        if disks and old in disks.keys:
            yield self._change(disks.keys[old], old, new, ("storage", "disks", old))
            yield from self._size(disks)
        for place, node in _scalars(source.find(("storage", "pools")), ("storage", "pools")):
            name = self.renaming.of(node.data)
            of_disk = place[3:4] and place[3] in _VDEVS and name != node.data
            if of_disk and isinstance(name, str) and not self._is_alias(node):
                yield self._change(node, str(node.data), name, place)
        prefix = dotted(("storage", "disks", old))
        for place, node in _scalars(source.find(("acknowledge",)), ("acknowledge",)):
            at = node.data
            if place[-1] == "at" and isinstance(at, str) and (f"{at}.").startswith(f"{prefix}."):
                fresh = dotted(("storage", "disks", new)) + at.removeprefix(prefix)
                yield self._change(node, at, fresh, place)

    def _size(self, disks: Node) -> Iterator[_Change]:
        """The size, where nothing else shares it."""
        body = disks.values[self.renaming.old]
        shared = sum(body.values is other.values for other in disks.values.values()) > 1
        node = body.values.get("size")
        if self.renaming.size and node and not self._is_alias(node):
            if shared:
                raise _unsafe(self.file, "the size is shared with another disk by an alias")
            place = ("storage", "disks", self.renaming.old, "size")
            yield self._change(node, str(node.data), self.renaming.size, place)

    def _change(self, node: Node, before: str, after: str, place: Path) -> _Change:
        """What stands there may have an anchor before it, and quotes around it."""
        start, end = self._at(node.start), self._at(node.end)
        span = self.text[start:end]
        at = span.rfind(before)
        if at < 0:
            raise _unsafe(self.file, f"{dotted(place)} is written with escapes")
        quoted = span[at + len(before) :].startswith(_QUOTES)
        plain = resolve(after) == after and not after.endswith(":")
        text = after if quoted or plain else f'"{after}"'
        return _Change(start + at, start + at + len(before), text, dotted(place))

    def _at(self, mark: Mark) -> int:
        return self._starts[mark[0]] + mark[1]

    def _is_alias(self, node: Node) -> bool:
        return self.text[self._at(node.start)] == "*"


def _scalars(node: Node | None, place: Path) -> Iterator[tuple[Path, Node]]:
    """Every text below a node, with its path."""
    if node is None:
        return
    if not node.values and isinstance(node.data, str):
        yield place, node
    for key, child in node.values.items():
        yield from _scalars(child, (*place, key))


def _is_meant(file: str, before: Source, text: bytes, renaming: Renaming) -> bool:
    """Read anew, it says what it said, but for the disk; and it is a host still."""
    host, findings = parse(file.split("/")[-2] if "/" in file else "host", file, text)
    meant = _wish(before.data, renaming)
    return host is not None and not findings and _same(host.source.data, meant)


def _wish(data: Data, renaming: Renaming) -> Data:
    """What the file should say afterwards."""
    whole = dict(_mapping(data))
    storage = dict(_mapping(whole.get("storage")))
    disks = {str(renaming.of(key)): body for key, body in _mapping(storage.get("disks")).items()}
    if renaming.size and "size" in _mapping(disks.get(renaming.new)):
        disks[renaming.new] = _mapping(disks[renaming.new]) | {"size": renaming.size}
    storage["disks"] = disks
    if "pools" in storage:
        pools = _mapping(storage["pools"]).items()
        storage["pools"] = {name: _pool(_mapping(body), renaming) for name, body in pools}
    whole["storage"] = storage
    if isinstance(accepted := whole.get("acknowledge"), tuple):
        whole["acknowledge"] = tuple(_moved(entry, renaming) for entry in accepted)
    return whole


def _mapping(data: Data) -> dict[str, Data]:
    return data if isinstance(data, dict) else {}


def _pool(body: dict[str, Data], renaming: Renaming) -> Data:
    return {
        key: _renamed(value, renaming) if key in _VDEVS else value for key, value in body.items()
    }


def _renamed(data: Data, renaming: Renaming) -> Data:
    if isinstance(data, dict):
        return {key: _renamed(value, renaming) for key, value in data.items()}
    if isinstance(data, tuple):
        return tuple(_renamed(value, renaming) for value in data)
    return renaming.of(data)


def _moved(entry: Data, renaming: Renaming) -> Data:
    if not isinstance(entry, dict) or not isinstance(at := entry.get("at"), str):
        return entry
    prefix = f"storage.disks.{renaming.old}"
    if at != prefix and not at.startswith(f"{prefix}."):
        return entry
    return entry | {"at": f"storage.disks.{renaming.new}{at.removeprefix(prefix)}"}


def _same(one: Data, other: Data) -> bool:
    """Equal, in the same order, and of the same kinds: True is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other
