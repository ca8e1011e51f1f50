"""What differs between two descriptions, place by place; and one laid over the other in part."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import IntEnum

from emily_infra.findings import Path, dotted
from emily_infra.plan.model import FieldChange, Sign
from emily_infra.spec.credentials import blotted
from emily_infra.spec.host import HostSpec
from emily_infra.spec.tree import Data


class How(IntEnum):
    """What an edit does at its path; at one index of a list, the higher ones come first."""

    INSERT = 0
    DELETE = 1
    SET = 2


@dataclass(frozen=True)
class Edit:
    """One difference: a path in the old data, a place in the new one."""

    path: Path
    place: Path
    how: How
    old: Data = None
    new: Data = None
    rank: int = 0
    """Of several items that come at the same place of a list."""


def plain(spec: HostSpec) -> dict[str, Data]:
    """A spec as plain data with every default filled in, so that defaults count as written."""
    data = _frozen(spec.model_dump(mode="json", by_alias=True))
    assert isinstance(data, dict), "a spec is a mapping"
    return data


def sparse(spec: HostSpec) -> Data:
    """A spec without what is the default anyway, as a person would have written it."""
    return _frozen(spec.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _frozen(value: object) -> Data:
    match value:
        case dict():
            return {str(key): _frozen(item) for key, item in value.items()}
        case list() | tuple():
            return tuple(_frozen(item) for item in value)
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"no plain data: {type(value).__name__}")


def edits(old: Data, new: Data, path: Path = (), place: Path = ()) -> Iterator[Edit]:
    """Every difference as the smallest edit that makes it, in the order of the new file."""
    if old == new:
        return
    match old, new:
        case dict(), dict():
            yield from _of_mappings(old, new, path, place)
        case tuple(), tuple():
            yield from _of_lists(old, new, path, place)
        case _:
            yield Edit(path, place, How.SET, old, new)


def _of_mappings(
    old: Mapping[str, Data], new: Mapping[str, Data], path: Path, place: Path
) -> Iterator[Edit]:
    for key, value in new.items():
        if key in old:
            yield from edits(old[key], value, (*path, key), (*place, key))
        else:
            yield Edit((*path, key), (*place, key), How.SET, None, value)
    for key in old.keys() - new.keys():
        yield Edit((*path, key), (*place, key), How.DELETE, old[key])


def _of_lists(
    old: tuple[Data, ...], new: tuple[Data, ...], path: Path, place: Path
) -> Iterator[Edit]:
    for begin, end, first, last in _blocks(old, new, repr):
        within = _blocks(old[begin:end], new[first:last], _identity)
        found = {begin + a: first + c for block in within for a, c in _pairs(*block)}
        for at, to in found.items():
            yield from edits(old[at], new[to], (*path, at), (*place, to))
        for at in range(begin, end):
            if at not in found:
                yield Edit((*path, at), (*place, at), How.DELETE, old[at])
        for to in range(first, last):
            if to not in found.values():
                before = next((a for a, t in found.items() if t > to), end)
                yield Edit((*path, before), (*place, to), How.INSERT, None, new[to], to)


Block = tuple[int, int, int, int]


def _blocks(
    old: tuple[Data, ...], new: tuple[Data, ...], key: Callable[[Data], str]
) -> Iterator[Block]:
    """Where two lists differ by a key of their items; all of it where the key is the same."""
    matcher = SequenceMatcher(None, [key(i) for i in old], [key(i) for i in new], autojunk=False)
    for tag, *block in matcher.get_opcodes():
        begin, end, first, last = block
        if tag != "equal" or old[begin:end] != new[first:last]:
            yield begin, end, first, last


def _pairs(begin: int, end: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Items that became each other: only where as many come as go."""
    if end - begin == last - first:
        yield from zip(range(begin, end), range(first, last), strict=True)


def _identity(item: Data) -> str:
    """By what a person would call an item of a list the same: everything in it but lists."""
    if not isinstance(item, dict):
        return repr(item)
    return repr({k: v for k, v in item.items() if not isinstance(v, dict | tuple)})


def laid_over(old: Data, chosen: Iterable[Edit]) -> Data:
    """The old data with some of the edits made; their paths are those of the old data."""
    data = _thawed(old)
    for edit in sorted(chosen, key=_deepest_and_last_first):
        if not edit.path:
            return edit.new
        _make(data, edit)
    return _frozen(data)


def _deepest_and_last_first(edit: Edit) -> tuple[int, str, int, int, int]:
    *above, last = edit.path or ("",)
    at = last if isinstance(last, int) else 0
    return (-len(edit.path), repr(above), -at, -edit.how, -edit.rank)


def _make(data: object, edit: Edit) -> None:
    *above, last = edit.path
    for key in above:
        data = data[key]  # type: ignore[index]
    match data, last:
        case dict(), str() if edit.how is How.DELETE:
            del data[last]
        case dict(), str():
            data[last] = _thawed(edit.new)
        case list(), int() if edit.how is How.DELETE:
            del data[last]
        case list(), int() if edit.how is How.INSERT:
            data.insert(last, _thawed(edit.new))
        case list(), int():
            data[last] = _thawed(edit.new)


def _thawed(data: Data) -> object:
    match data:
        case dict():
            return {key: _thawed(value) for key, value in data.items()}
        case tuple():
            return [_thawed(item) for item in data]
    return data


def described(edit: Edit, old: Data, new: Data) -> FieldChange:
    """An edit for people; OLD and NEW are the sparse descriptions that it stands between."""
    before, after = _found(old, edit.path, edit.old), _found(new, edit.place, edit.new)
    if edit.how is How.INSERT or edit.old is None:
        sign = Sign.ADDED
    elif edit.how is How.DELETE or edit.new is None:
        sign = Sign.REMOVED
    else:
        sign = Sign.CHANGED
    gone = "" if edit.how is How.INSERT else _text(before)
    return FieldChange(dotted(edit.place), sign, gone, _text(after))


def _found(data: Data, path: Path, otherwise: Data) -> Data:
    """What stands at a path of the sparse data; a mapping of nothing but defaults is not there."""
    if not isinstance(otherwise, dict | tuple):
        return otherwise
    for key in path:
        match data:
            case dict() if key in data:
                data = data[str(key)]
            case tuple() if isinstance(key, int) and key < len(data):
                data = data[key]
            case _:
                return {} if isinstance(otherwise, dict) else otherwise
    return data


def _text(value: Data) -> str:
    """As YAML in one line, secrets starred out."""
    return blotted(_flow(value))


def _flow(value: Data) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict():
            inside = ", ".join(f"{key}: {_flow(item)}" for key, item in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case tuple():
            return f"[{', '.join(map(_flow, value))}]"
    return str(value)
