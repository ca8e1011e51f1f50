"""Definitions of several modules made one, as far as NixOS's module system does it for ours.

Sets merge key by key and lists are joined, in the order of the files; of anything else there may be
one value, and text that NixOS types as `lines` is joined too. mkDefault gives way, mkForce wins.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from emily_infra.errors import EmilyError

Path = tuple[str, ...]

_PLAIN_PRIORITY = 100
_PLAIN_ORDER = 1000


class Conflict(EmilyError):
    """Two modules set one option to different values, and neither gives way."""

    code = "LAB041"


@dataclass(frozen=True)
class Definition:
    """What one file sets, at one place."""

    file: str
    value: object
    priority: int = _PLAIN_PRIORITY
    order: int = _PLAIN_ORDER


def merge(
    modules: Iterable[tuple[str, object]], lines: Callable[[Path], bool]
) -> dict[str, object]:
    """The one configuration that modules, given as (file, values), make together."""
    definitions = [Definition(file, values) for file, values in modules]
    merged = _merge((), definitions, lines)
    return merged if isinstance(merged, dict) else {}


def _merge(path: Path, definitions: Sequence[Definition], lines: Callable[[Path], bool]) -> object:
    unwrapped = [one for definition in definitions for one in _unwrapped(definition)]
    if all(isinstance(one.value, Mapping) for one in unwrapped):
        return _sets(path, unwrapped, lines)
    winners = _winners(unwrapped)
    values = [one.value for one in winners]
    if any(isinstance(value, list) for value in values):  # as NixOS does for settings of units
        return [item for value in values for item in _plain(_as_list(value))]
    if lines(path) and all(isinstance(value, str) for value in values):
        return "\n".join(value for value in values if isinstance(value, str))
    for other in winners[1:]:
        if other.value != winners[0].value:
            raise _conflict(path, winners[0], other)
    return values[0]


def _sets(
    path: Path, definitions: Sequence[Definition], lines: Callable[[Path], bool]
) -> dict[str, object]:
    keys = {key for one in definitions for key in _as_set(one.value)}
    merged = {}
    for key in sorted(keys):
        below = [
            replace(one, value=_as_set(one.value)[key])
            for one in definitions
            if key in _as_set(one.value)
        ]
        if any(True for definition in below for _ in _unwrapped(definition)):
            merged[key] = _merge((*path, key), below, lines)
    return merged


def _unwrapped(definition: Definition) -> Iterator[Definition]:
    """The definitions that remain of one when its marks are read."""
    match definition.value:
        case {"_type": "nothing"}:
            return
        case {"_type": "merge", "contents": [*contents]}:
            for content in contents:
                yield from _unwrapped(replace(definition, value=content))
        case {"_type": "override", "priority": int(priority), "content": content}:
            yield from _unwrapped(replace(definition, value=content, priority=priority))
        case {"_type": "order", "priority": int(order), "content": content}:
            yield from _unwrapped(replace(definition, value=content, order=order))
        case _:
            yield definition


def _winners(definitions: Sequence[Definition]) -> list[Definition]:
    strongest = min(one.priority for one in definitions)
    return sorted(
        (one for one in definitions if one.priority == strongest), key=lambda one: one.order
    )


def _plain(value: list[object]) -> list[object]:
    """A list without marks inside its items, which NixOS reads there too."""
    return [_merge((), [Definition("", item)], lambda _: False) for item in value]


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _as_set(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _conflict(path: Path, one: Definition, other: Definition) -> Conflict:
    option = ".".join(path)
    return Conflict(
        f"{option} is set twice: to {one.value!r} in {one.file} "
        f"and to {other.value!r} in {other.file}",
        hint="remove one of the two, or let one give way: lib.mkDefault in front of its value",
    )
