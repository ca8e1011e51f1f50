"""Python values as Nix source, laid out as nixfmt lays it out.

The grammar is that of the Nix manual, "Data types" and "String literal".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

INDENT = "  "
_LEAST = -(2**63)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_'-]*")
_KEYWORDS = frozenset({"assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"})
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class NotNix(TypeError):
    """A value that Nix has no literal for: a bug in a lowering, never an operator's mistake."""


@dataclass(frozen=True)
class Expression:
    """Nix source that goes in as it stands; built from constants of ours, never from host.yaml."""

    source: str


class Lines(str):
    """Text of several lines that a person will read: an indented string where one can hold it."""

    __slots__ = ()

    def __add__(self, below: str) -> "Lines":
        return Lines(super().__add__(below))


def nix_literal(value: object) -> str:
    """The Nix source of a value; continuation lines are relative to the line it begins on.

    Raises NotNix for a value without a literal, such as text with NUL or an integer over 64 bits.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Expression():
            return value.source
        case Lines():
            return _block(value)
        case str():
            return _quoted(value)
        case int():
            return _integer(int(value))
        case Mapping():
            return _attributes(value)
        case list() | tuple():
            return _list(value)
    raise NotNix(f"no Nix literal for {type(value).__name__}")


def _integer(value: int) -> str:
    if not _LEAST <= value < -_LEAST:
        raise NotNix(f"an integer of {value.bit_length()} bits")
    if value == _LEAST:  # Nix reads the digits first, and 2^63 is one too many
        return f"({value + 1} - 1)"
    return str(value) if value >= 0 else f"({value})"  # bare, a list would take it for an operator


def _quoted(text: str) -> str:
    return '"' + _nix_text(text).translate(_ESCAPES).replace("${", "\\${") + '"'


def _nix_text(text: str) -> str:
    """The text itself, where Nix can hold it."""
    if _NO_TEXT.search(text):
        raise NotNix("text with NUL or half a character")
    return text


def _block(text: str) -> str:
    """An indented string, where one holds the text and its own indentation comes out unchanged."""
    *lines, rest = text.split("\n")
    readable = (
        not rest
        and all(line.strip(" ") or not line for line in lines)
        and any(line and line[0] != " " for line in lines)
        and "'${" not in text
        and "\r" not in text
    )
    if not readable:
        return _quoted(text)
    body = _nix_text(text).replace("''", "'''").replace("${", "''${")
    indented = "".join(f"{INDENT if line else ''}{line}\n" for line in body.split("\n")[:-1])
    return f"''\n{indented}''"


def _attributes(value: Mapping[str, object]) -> str:
    entries = [f"{attribute_name(key)} = {nix_literal(item)};" for key, item in value.items()]
    return _bracketed("{", "}", entries)


def _list(value: list[object] | tuple[object, ...]) -> str:
    return _bracketed("[", "]", [_element(item) for item in value])


def _element(item: object) -> str:
    text = nix_literal(item)
    return f"({text})" if isinstance(item, Expression) and " " in text else text


def _bracketed(opening: str, closing: str, items: list[str]) -> str:
    if not items:
        return f"{opening} {closing}"
    if len(items) == 1 and "\n" not in items[0]:
        return f"{opening} {items[0]} {closing}"
    body = "".join(f"{INDENT}{line}\n" if line else "\n" for i in items for line in i.split("\n"))
    return f"{opening}\n{body}{closing}"


def attribute_name(key: object) -> str:
    """A name as it stands left of `=`: bare where Nix allows it."""
    if not isinstance(key, str):
        raise NotNix(f"a {type(key).__name__} as an attribute's name")
    plain = _IDENTIFIER.fullmatch(key) and key not in _KEYWORDS
    return key if plain else _quoted(key)
