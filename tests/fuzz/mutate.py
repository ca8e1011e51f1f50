"""One wrong host.yaml after another, the same for the same seed."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from emily_infra.spec.source import Data
from tests.fuzz.values import Part, parts, value_for
from tests.hosts import shipped

Place = tuple[Any, Any]
"""A list or mapping, and the index or key of something in it."""


class Raw(str):
    """A scalar that is written as it stands, quotes or not."""

    __slots__ = ()


SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 4096, 10**17, -(10**17), 0.1, Raw("1e999"), Raw(".nan"),
    Raw("0x1F"), Raw("0o17"), Raw("007"), Raw("1_000"), Raw("02:00"), Raw("on"), Raw("2026-11-21"),
    Raw("1" * 5_001), Raw("~"), Raw("!!int 1"), Raw("!!binary aGk="), Raw("&a x"), Raw("*a"),
    Raw("|\n  x"), Raw('"\\0"'), Raw('"\\ud800"'), Raw('"\\u202e"'), Raw('"\\U0001f9ea"'),
    Raw("{ }"), Raw("[ ]"), Raw("[[[]]]"), "", " ", "\t", "\n", "a\nb", "${x}", "''",
    "'; rm -rf / #", "$(id)", "`id`", "%n", "{{ x }}", "../..", "/", "//", "/.", "null", "none",
    "host", "한국어", "e\u0301", "x" * 300, "x" * 9_000, "a" * 11_000, "<script>", "0.0.0.0", "::",
    "fe80::1%eth0", "10.0.0.0/0", "secret:", "secret:x", "[::1]:1",
)  # fmt: skip
FRAGMENTS = (
    "\t", "\r", "\r\n", "\n", ":", ": ", "- ", "? ", "#", " #", "&a ", "*a", "!x ", "!!str ", "|",
    ">", "'", '"', "[", "]", "{", "}", ",", "%", "@", "`", "\\", "\0", "\x07", "\x85", "\u2028",
    "\ufeff", "\u202e", "한", "\U0001f9ea", "---\n", "...\n", "<<: *a", "%YAML 1.1\n", "  ", "${",
    "''", "\xa0",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A mutated file, and the shipped host that it was."""

    number: int
    base: str
    raw: bytes


def case(seed: int, number: int) -> Case:
    """The file of this number."""
    chance = random.Random(f"{seed}/{number}")
    base = chance.choice(["ember", "pebble"])
    tree = _thawed(shipped(base).source.data)
    for _ in range(chance.choice([1, 1, 1, 2, 2, 3, 5])):
        if chance.random() < 0.75:
            _well_typed(tree, chance)
        else:
            chance.choice(TREE_MUTATIONS)(tree, chance)
    raw = _written(tree, chance)
    while chance.random() < 0.2:
        raw = chance.choice(BYTE_MUTATIONS)(raw, chance)
    return Case(number, base, raw)


def shuffled(data: Data, chance: random.Random) -> Any:
    """The same data with the keys of every mapping in another order."""
    if isinstance(data, dict):
        keys = chance.sample(list(data), len(data))
        return {key: shuffled(data[key], chance) for key in keys}
    return [shuffled(item, chance) for item in data] if isinstance(data, tuple) else data


def reordered(data: Data, chance: random.Random) -> bytes:
    """A file with the same data and its keys in another order."""
    return _flow(shuffled(data, chance)).encode()


def _thawed(data: Data) -> Any:
    if isinstance(data, dict):
        return {key: _thawed(value) for key, value in data.items()}
    return [_thawed(item) for item in data] if isinstance(data, tuple) else data


def _well_typed(tree: Any, chance: random.Random) -> None:
    """Change, add or remove one part so that the file most likely stays well-formed."""
    part: Part = chance.choice(list(parts(tree)))
    kind = chance.random()
    if kind < 0.6:
        part.holder[part.key] = value_for(part.annotation, chance)
    elif kind < 0.8 and isinstance(part.holder, dict):
        fresh = value_for(part.key_type, chance) if part.key_type else part.key
        part.holder[str(fresh)] = value_for(part.annotation, chance)
    elif kind < 0.9 and isinstance(part.holder, list):
        part.holder.insert(chance.randint(0, len(part.holder)), part.holder[part.key])
    elif part.optional:
        del part.holder[part.key]


def _places(tree: Any) -> Iterator[Place]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _any(tree: Any, chance: random.Random) -> Place:
    return chance.choice(list(_places(tree)) or [({"": None}, "")])


def _wrong_scalar(tree: Any, chance: random.Random) -> None:
    holder, key = _any(tree, chance)
    holder[key] = chance.choice(SCALARS)


def _deleted(tree: Any, chance: random.Random) -> None:
    holder, key = _any(tree, chance)
    del holder[key]


def _swapped(tree: Any, chance: random.Random) -> None:
    (one, key), (other, name) = _any(tree, chance), _any(tree, chance)
    one[key], other[name] = _copied(other[name]), _copied(one[key])


def _moved(tree: Any, chance: random.Random) -> None:
    (one, key), (other, name) = _any(tree, chance), _any(tree, chance)
    value = _copied(one[key])
    if isinstance(other, list):
        other.insert(name, value)
    else:
        other[str(chance.choice([key, f"{name}-2", name]))] = value


def _renamed(tree: Any, chance: random.Random) -> None:
    mappings = [place for place in _places(tree) if isinstance(place[0], dict)]
    holder, key = chance.choice(mappings or [({"a": 1}, "a")])
    fresh = chance.choice(
        [str(key)[:-1], f"{key}x", str(key).upper(), "x" * 300, "", "<<", "a\x07", "~"]
    )
    holder[fresh] = holder.pop(key)


def _repeated(tree: Any, chance: random.Random) -> None:
    lists = [value for _, value in map(_value, _places(tree)) if isinstance(value, list) and value]
    if lists:
        chosen = chance.choice(lists)
        chosen.extend(chosen[:1] * chance.choice([1, 30, 2_000]))


def _value(place: Place) -> tuple[Place, Any]:
    return place, place[0][place[1]]


def _deep(tree: Any, chance: random.Random) -> None:
    holder, key = _any(tree, chance)
    depth = chance.choice([5, 40, 2_000])
    begin, end = chance.choice([("[", "]"), ("{ a: ", " }")])
    holder[key] = Raw(begin * depth + "x" + end * depth)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


TREE_MUTATIONS: tuple[Callable[[Any, random.Random], None], ...] = (
    _wrong_scalar, _wrong_scalar, _deleted, _swapped, _moved, _renamed, _repeated, _deep,
)  # fmt: skip


def _written(tree: Any, chance: random.Random) -> bytes:
    style = chance.random()
    if style < 0.3:
        return _flow(tree).encode("utf-8", "surrogatepass")
    return _block(tree, "").encode("utf-8", "surrogatepass")


def _flow(value: Any) -> str:
    match value:
        case Raw():
            return value.replace("|\n  x", "x")
        case dict():
            return "{ " + ", ".join(f"{_key(k)}: {_flow(v)}" for k, v in value.items()) + " }"
        case list():
            return "[ " + ", ".join(map(_flow, value)) + " ]"
    return json.dumps(value, ensure_ascii=False)


def _block(value: Any, indent: str) -> str:
    match value:
        case dict() if value:
            lines = (f"{indent}{_key(k)}:{_behind(v, indent)}" for k, v in value.items())
            return "".join(lines)
        case list() if value:
            return "".join(f"{indent}-{_behind(item, indent)}" for item in value)
    return f"{indent}{_flow(value)}\n"


def _behind(value: Any, indent: str) -> str:
    if isinstance(value, Raw):
        return f" {value.replace(chr(10), chr(10) + indent)}\n"
    if isinstance(value, dict | list) and value:
        return "\n" + _block(value, indent + "  ")
    return f" {_flow(value)}\n"


@cache
def _key(key: str) -> str:
    plain = key.replace("-", "").replace("_", "").isalnum()
    return key if plain else json.dumps(key, ensure_ascii=False)


def _inserted(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(raw))
    return raw[:at] + chance.choice(FRAGMENTS).encode() * chance.choice([1, 1, 1, 50]) + raw[at:]


def _flipped(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) or 1)
    return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]


def _cut(raw: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.choices(range(len(raw) + 1), k=2))
    return chance.choice([raw[:begin], raw[begin:], raw[:begin] + raw[end:]])


def _line_moved(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    line = lines.pop(chance.randrange(len(lines)))
    for _ in range(chance.choice([1, 1, 2])):
        lines.insert(chance.randint(0, len(lines)), b" " * chance.choice([0, 0, 1, 2]) + line)
    return b"\n".join(lines)


def _encoded(raw: bytes, chance: random.Random) -> bytes:
    text = raw.decode("utf-8", "replace")
    return text.encode(
        chance.choice(["utf-16", "utf-16-be", "utf-8-sig", "cp1252", "utf-7"]), "replace"
    )


def _line_ends(raw: bytes, chance: random.Random) -> bytes:
    return raw.replace(b"\n", chance.choice([b"\r\n", b"\r", "\x85".encode(), "\u2028".encode()]))


def _dumped(raw: bytes, chance: random.Random) -> bytes:
    """As PyYAML would write it, with its anchors."""
    try:
        tree = yaml.safe_load(raw)
        return yaml.safe_dump(tree, width=chance.choice([20, 80]), encoding="utf-8")
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return raw


BYTE_MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _inserted, _inserted, _inserted, _flipped, _cut, _line_moved, _line_moved, _encoded, _line_ends,
    _dumped,
)  # fmt: skip
