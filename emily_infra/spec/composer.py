"""From the events of a YAML parser to a tree, without recursion, with everything that is wrong."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from emily_infra.findings import Finding, Location, Severity
from emily_infra.spec.base import named
from emily_infra.spec.tree import Data, Mark, Node, Source

MAX_DEPTH = 32
MAX_WEIGHT = 50_000
MAX_TEXT = 10_000

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_UNSEEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""What an escape can bring in: a terminal would obey it, or show the text in another order."""


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that has begun; `key` waits for its value."""

    node: Node
    anchor: str | None
    key: Node | None = None

    @property
    def wants_key(self) -> bool:
        return isinstance(self.node.data, dict) and self.key is None


class _Stop(Exception):
    """What follows is not worth reading."""


class Composer:
    """Collects nodes and findings, event by event."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self._anchors: dict[str, Node] = {}
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._count = 0
        self._documents = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.DocumentStartEvent: self._document,
        }

    def compose(self, events: Iterable[yaml.Event]) -> Node | None:
        """The root of the first document, or nothing where that is empty, broken or too large."""
        try:
            for event in events:
                if handle := self._handlers.get(type(event)):
                    handle(event)
        except _Stop:
            pass
        except yaml.MarkedYAMLError as error:
            self._syntax_error(error)
            return None
        return self._root

    def _report(self, place: Location, code: str, message: str, hint: str) -> None:
        self.findings.append(Finding(code, Severity.ERROR, place, message, hint))

    def _at(self, thing: yaml.Event | Node) -> Location:
        if isinstance(thing, Node):
            return self.source.at(thing.start, thing.end)
        return self.source.at(_mark(thing.start_mark), _mark(thing.end_mark))

    def _refuse(self, thing: yaml.Event | Node, code: str, message: str) -> None:
        self._report(self._at(thing), code, message, "a host needs far less; write less")
        self._root = None
        raise _Stop

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> None:
        line, column = self._beginning(error)
        what = f"{error.problem} {error.context or ''}".strip()
        before = "".join(self.source.lines[line : line + 1])[: column + 1]
        hint = "look at the indentation, quotes and brackets here"
        begun = error.context_mark
        if begun and begun.line < line and "flow" in (error.context or ""):
            hint = f"close the bracket that opens on line {begun.line + 1}"
        hint = "indent with spaces, not with tabs" if "\t" in before else hint
        self._report(self.source.at((line, column), (line, column + 1)), "YML003", what, hint)

    def _beginning(self, error: yaml.MarkedYAMLError) -> Mark:
        """Where it is noticed or, if that is only the end of the file, where it began."""
        marks = [_mark(mark) for mark in (error.problem_mark, error.context_mark) if mark]
        marks += [begun.node.start for begun in reversed(self._open)]
        inside = (mark for mark in marks if any(self.source.lines[mark[0] :]))
        return next(inside, (0, 0))

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            message, hint = "a second document begins here", "describe one host per file"
            self._report(self._at(event), "YML004", message, hint)
            raise _Stop

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text: str = event.value
        node = Node(_mark(event.start_mark), _mark(event.end_mark), text, 1 + len(text) // 100)
        if not event.style and event.implicit[0] and not (self._open and self._open[-1].wants_key):
            node.data = resolve(text)
        if event.tag is not None:
            self._tag(event)
        if len(text) > MAX_TEXT:
            self._refuse(node, "YML006", f"{len(text)} characters of text, over {MAX_TEXT}")
        if not text.isprintable() and (found := _UNSEEN.search(text)):
            message = f"the text holds the control character U+{ord(found[0]):04X}"
            self._report(self._at(node), "YML002", message, "delete the character")
        self._place(node, event.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        here = Node(_mark(event.start_mark), _mark(event.end_mark))
        if meant := self._anchors.get(event.anchor or ""):
            here.data, here.weight = meant.data, meant.weight
            here.keys, here.values = meant.keys, meant.values
        else:  # the name is not repeated: it may be a password that begins with *
            message = "this alias points at nothing that is complete above it"
            hint = "name an anchor (&name) that ends above; quote text that begins with *"
            self._report(self._at(event).hidden(), "YML007", message, hint)
        self._place(here, None)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if event.tag is not None:
            self._tag(event)
        if len(self._open) == MAX_DEPTH:
            self._refuse(event, "YML005", f"nested deeper than {MAX_DEPTH}")
        empty: Data = {} if isinstance(event, yaml.MappingStartEvent) else ()
        node = Node(_mark(event.start_mark), _mark(event.end_mark), empty)
        self._open.append(_Open(node, event.anchor))

    def _end(self, event: yaml.MappingEndEvent | yaml.SequenceEndEvent) -> None:
        closed = self._open.pop()
        node = closed.node
        node.end = _mark(event.end_mark)
        if isinstance(node.data, dict):
            node.data = {str(key): child.data for key, child in node.values.items()}
        else:
            node.data = tuple(child.data for child in node.values.values())
        node.weight = 1 + sum(child.weight for child in node.values.values())
        if node.weight > MAX_WEIGHT:
            message = f"more than {MAX_WEIGHT} values once aliases are expanded"
            self._refuse(node, "YML006", message)
        self._place(node, closed.anchor)

    def _tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        message, hint = "a tag is not used here", "delete it; quote text that begins with !"
        self._report(self._at(event), "YML008", message, hint)

    def _place(self, node: Node, anchor: str | None) -> None:
        self._count += 1
        if self._count > MAX_WEIGHT:
            self._refuse(node, "YML006", f"more than {MAX_WEIGHT} values")
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if parent.key is not None:
            self._fill(parent.node, parent.key, node)
            parent.key = None
        elif parent.wants_key:
            parent.key = node
        else:
            parent.node.values[len(parent.node.values)] = node

    def _fill(self, parent: Node, key: Node, value: Node) -> None:
        name = key.data
        if not isinstance(name, str):
            hint = "put the list or mapping behind the colon"
            self._report(self._at(key), "YML009", "a key must be a word", hint)
        elif name == "<<":
            hint = "repeat the keys, or share one whole mapping with &name and *name"
            self._report(self._at(key), "YML009", "<< merges in YAML 1.1 only, not here", hint)
        elif first := parent.keys.get(name):
            message = f"{named(name)} stands twice in one mapping; "
            message += f"the first is on line {first.start[0] + 1}"
            self._report(self._at(key), "YML010", message, "keep one of them")
        else:
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


def _mark(mark: Any) -> Mark:
    return mark.line, mark.column
