"""host.yaml as text: YAML read with the place of every key and value kept.

Scalars follow the YAML 1.2 core schema, so that `on`, `no` and `02:00` are words and not a
boolean, a boolean and 120; keys are always text. The parser is PyYAML's; the tree is our own,
because it must survive depth, alias bombs and doubled keys, and report all of them at once.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import yaml

from emily_infra.findings import Finding, Location, Path, Severity

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 50_000

Data = None | bool | int | float | str | tuple["Data", ...] | dict[str, "Data"]

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip

Mark = tuple[int, int]
"""Line and column, both from 0."""


@dataclass(slots=True)
class Node:
    """A value with its place; `weight` counts the nodes below it with aliases expanded."""

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
        """The span from start to end, cut to the first line, with the line's text."""
        line, column = start
        text = self.lines[line] if line < len(self.lines) else ""
        last = end[1] if end and end[0] == line else len(text)
        return Location(self.file, line + 1, column + 1, max(1, last - column), text)

    def locate(self, path: Path) -> Location:
        """The value at a path, or the nearest key above it that exists."""
        node, place = self.root, Location(self.file)
        for key in path:
            child = node.values.get(key) if node else None
            if node is None or child is None:
                break
            inline = child.start[0] == child.end[0]
            span = child if inline else node.keys.get(str(key), child)
            place, node = self.at(span.start, span.end), child
        return place

    def locate_key(self, path: Path) -> Location:
        """The key itself, for a complaint about the key and not about its value."""
        node = self.root
        for key in path[:-1]:
            node = node.values.get(key) if node else None
        name = node.keys.get(str(path[-1])) if node and path else None
        return self.at(name.start, name.end) if name else self.locate(path)


def read(file: str, raw: bytes) -> tuple[Source, list[Finding]]:
    """The tree of a file, and everything that is wrong with it as YAML."""
    if len(raw) > MAX_BYTES:
        message = f"the file has {len(raw)} bytes; a host needs no more than {MAX_BYTES}"
        return Source(file), [
            _finding(Location(file), "YML001", message, "describe one host per file")
        ]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8"
        return Source(file), [_finding(Location(file), "YML002", message, "save the file as UTF-8")]
    source = Source(file, tuple(_BREAK.split(text)))
    if found := _FORBIDDEN.search(text):
        before = _BREAK.split(text[: found.start()])
        place = source.at(
            (len(before) - 1, len(before[-1])), (len(before) - 1, len(before[-1]) + 1)
        )
        message = f"control character U+{ord(found.group()):04X} is not allowed in YAML"
        return source, [_finding(place, "YML002", message, "delete the character")]
    composer = _Composer(source)
    try:
        root = composer.compose(yaml.parse(text, Loader=_parser()))
    except yaml.MarkedYAMLError as error:
        composer.syntax_error(error)
        return source, composer.findings
    return Source(file, source.lines, root), composer.findings


def _parser() -> type:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _finding(place: Location, code: str, message: str, hint: str) -> Finding:
    return Finding(code, Severity.ERROR, place, message, hint)


def _mark(mark: yaml.Mark) -> Mark:
    return mark.line, mark.column


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that has begun; `key` waits for its value."""

    node: Node
    anchor: str | None
    key: Node | None = None

    @property
    def wants_key(self) -> bool:
        return isinstance(self.node.data, dict) and self.key is None


class _Composer:
    """Turns parser events into nodes without recursion, and collects what is wrong on the way."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.anchors: dict[str, Node] = {}
        self.open: list[_Open] = []
        self.root: Node | None = None

    def report(self, start: Mark, end: Mark, code: str, text: tuple[str, str]) -> None:
        self.findings.append(_finding(self.source.at(start, end), code, *text))

    def syntax_error(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        start = _mark(mark) if mark else (0, 0)
        what = f"{error.problem or 'not YAML'} {error.context or ''}".strip()
        tab = "tab" in what
        hint = "indent with spaces" if tab else "look at the indentation, quotes and brackets here"
        self.report(start, (start[0], start[1] + 1), "YML003", (what, hint))

    def compose(self, events: Iterable[yaml.Event]) -> Node | None:
        documents = 0
        for event in self._shallow(events):
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        self._at(event, "YML004", ("a second document", "keep one host per file"))
                        break
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._start(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end(event)
        if self.root and self.root.weight > MAX_NODES:
            text = (f"more than {MAX_NODES} values once its aliases are expanded", "write less")
            self.report((0, 0), (0, 1), "YML006", text)
            return None
        return self.root

    def _shallow(self, events: Iterable[yaml.Event]) -> Iterator[yaml.Event]:
        for event in events:
            if len(self.open) > MAX_DEPTH:
                self._at(event, "YML005", (f"nested deeper than {MAX_DEPTH}", "flatten this"))
                self.root = None
                return
            yield event

    def _at(self, event: yaml.Event, code: str, text: tuple[str, str]) -> None:
        self.report(_mark(event.start_mark), _mark(event.end_mark), code, text)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        node = Node(_mark(event.start_mark), _mark(event.end_mark))
        plain = event.implicit[0] and event.style in (None, "")
        is_key = bool(self.open) and self.open[-1].wants_key
        node.data = resolve(event.value) if plain and not is_key else event.value
        self._tag(event)
        self._place(node, event.anchor, key=event.value)

    def _alias(self, event: yaml.AliasEvent) -> None:
        node = self.anchors.get(event.anchor)
        if node is None:
            text = (f"*{event.anchor} points at no finished anchor", f"write &{event.anchor} above")
            self._at(event, "YML007", text)
            node = Node(_mark(event.start_mark), _mark(event.end_mark))
        here = Node(_mark(event.start_mark), _mark(event.end_mark), node.data, node.weight)
        here.keys, here.values = node.keys, node.values
        self._place(here, None, key=node.data if isinstance(node.data, str) else None)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._tag(event)
        mapping = isinstance(event, yaml.MappingStartEvent)
        node = Node(_mark(event.start_mark), _mark(event.end_mark), data={} if mapping else ())
        self.open.append(_Open(node, event.anchor))

    def _end(self, event: yaml.Event) -> None:
        closed = self.open.pop()
        node = closed.node
        node.end = _mark(event.end_mark)
        if isinstance(node.data, dict):
            node.data = {str(key): child.data for key, child in node.values.items()}
        else:
            node.data = tuple(child.data for child in node.values.values())
        node.weight = 1 + sum(child.weight for child in node.values.values())
        self._place(node, closed.anchor, key=None)

    def _tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            text = (
                f"the tag {event.tag} is not used here",
                "delete it; quote the value if it is text",
            )
            self._at(event, "YML008", text)

    def _place(self, node: Node, anchor: str | None, *, key: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if not isinstance(parent.node.data, dict):
            parent.node.values[len(parent.node.values)] = node
        elif parent.key is not None:
            self._fill(parent.node, parent.key, node)
            parent.key = None
        else:
            if key is None:
                text = ("a key must be a word", "put the list or mapping behind the colon")
                self.report(node.start, node.end, "YML009", text)
            parent.key = Node(node.start, node.end, data=key or "")

    def _fill(self, parent: Node, key: Node, value: Node) -> None:
        name = str(key.data)
        if first := parent.keys.get(name):
            text = (
                f"{name} stands twice in one mapping; the first is on line {first.start[0] + 1}",
                "keep one of them",
            )
            self.report(key.start, key.end, "YML010", text)
            return
        parent.keys[name] = key
        parent.values[name] = value


def resolve(text: str) -> Data:
    """The value of a plain scalar in the YAML 1.2 core schema, less what no host file needs.

    Exponents, octal and hexadecimal stay text: `8425e349` is a host id and not infinity.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
