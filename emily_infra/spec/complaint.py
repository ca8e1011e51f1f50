"""Pydantic's complaints as findings: at a line, in plain words, with what to write instead."""

import difflib
import types
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from emily_infra.findings import Finding, Location, Path, Severity
from emily_infra.spec.base import Secretive, named, shown
from emily_infra.spec.host import HostSpec, Secret
from emily_infra.spec.rewrite import rewritten
from emily_infra.spec.source import Source
from emily_infra.spec.units import Quantity

_WANTED = {
    "string_type": "text", "int_type": "a whole number", "float_type": "a number",
    "bool_type": "true or false", "tuple_type": "a list", "dict_type": "a mapping",
    "model_type": "a mapping", "model_attributes_type": "a mapping",
    "literal_error": "another word",
}  # fmt: skip
_BOUNDS = {
    "greater_than_equal": ("ge", "at least {}"), "greater_than": ("gt", "more than {}"),
    "less_than_equal": ("le", "at most {}"), "less_than": ("lt", "less than {}"),
}  # fmt: skip


def complaints(source: Source, details: list[ErrorDetails]) -> Iterator[Finding]:
    """A finding for each error that does not merely follow from another one."""
    above = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    veils = _Veils(source, details)
    for detail in details:
        if detail["type"] == "too_short" and detail["loc"] in above:
            continue  # the items are there, but wrong themselves
        finding = _translate(source, detail)
        yield replace(finding, location=veils.drawn(finding.location))


class _Veils:
    """Starred-out values: text that may be a secret and that no field took."""

    def __init__(self, source: Source, details: list[ErrorDetails]) -> None:
        self._by_line: dict[int, list[Location]] = {}
        for detail in details:
            path = _in_source(source, detail["loc"])
            value = source.find(path)
            if value and _may_be_secret(detail, path):
                place = source.at(value.start, value.end)
                self._by_line.setdefault(place.line, []).append(place)

    def drawn(self, location: Location) -> Location:
        """The location with every veil over its line."""
        for veil in self._by_line.get(location.line, ()):
            location = location.starred(veil.column, veil.width)
        return location


def _may_be_secret(detail: ErrorDetails, path: Path) -> bool:
    kind = detail["type"]
    if kind == "emily":
        return bool(detail.get("ctx", {}).get("secret"))
    if kind == "extra_forbidden":
        return _holds_secrets(_type_at(path[:-1]))
    is_text = isinstance(detail["input"], str | int | float)
    return kind in _WANTED and is_text and _holds_secrets(_type_at(path))


def _translate(source: Source, detail: ErrorDetails) -> Finding:
    path = _in_source(source, detail["loc"])
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(source, path)
        case "missing":
            message = f"{_called(path[:-1])} lacks {path[-1]}"
            return _error("SPC002", source.locate(path), message, _addition(path), path)
        case "emily":
            context = detail.get("ctx", {})
            is_key = detail["loc"][-1] == "[key]"
            here = source.locate_key(path) if is_key else source.locate(path)
            return _error("SPC004", here, context["message"], context["hint"], path)
        case kind if kind in _WANTED:
            return _wrong_kind(source, detail, path)
        case kind if kind in _BOUNDS:
            return _out_of_bounds(source, detail, path)
        case "too_short" | "too_long":
            return _wrong_count(source, detail, path)
        case _:
            message = f"{_called(path)}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
            return _error("SPC004", source.locate(path), message, _description(path), path)


def _error(code: str, place: Location, message: str, hint: str, at: Path) -> Finding:
    return Finding(code, Severity.ERROR, place, message, hint, at)


_FOR_LIFE = {
    "encryption": "ZFS encrypts a dataset only when it makes it: make one by hand (zfs create -o "
    "encryption=on), move the data there, and leave the key out of host.yaml"
}


def _unknown_key(source: Source, path: Path) -> Finding:
    known = list(_fields(_type_at(path[:-1])))
    near = difflib.get_close_matches(str(path[-1])[:60].lower(), known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
    before, colon, _ = str(path[-1]).partition(":")
    if colon and before in known:
        hint = f"write a space behind the colon of {before}:"
    hint = _FOR_LIFE.get(str(path[-1]), hint) if "datasets" in path else hint
    message = f"{named(str(path[-1]))} is not a key of {_called(path[:-1])}"
    return _error("SPC001", source.locate_key(path), message, hint, path)


def _wrong_kind(source: Source, detail: ErrorDetails, path: Path) -> Finding:
    kind = detail["type"]
    given = "this text" if _may_be_secret(detail, path) else shown(detail["input"])
    message = f"{_called(path)} wants {_WANTED[kind]}, not {given}"
    hint = rewritten(
        _called(path), _WANTED[kind], None if given == "this text" else detail["input"]
    )
    if kind == "literal_error":
        hint = f"write {detail['msg'].removeprefix('Input should be ')}"
    is_key = detail["loc"][-1] == "[key]"
    here = source.locate_key(path) if is_key else source.locate(path)
    return _error("SPC003", here, message, hint, path)


def _wrong_count(source: Source, detail: ErrorDetails, path: Path) -> Finding:
    counts, called = detail["ctx"], _called(path)
    wanted, hint = f"of at least {counts.get('min_length')}", f"add one to {called}"
    if detail["type"] == "too_long":
        wanted, hint = f"of at most {counts.get('max_length')}", f"describe less under {called}"
    message = f"{called} has {len(detail['input'])} {wanted} entries"
    return _error("SPC004", source.locate(path), message, f"{hint}: {_description(path)}", path)


def _out_of_bounds(source: Source, detail: ErrorDetails, path: Path) -> Finding:
    """With the bound in the units that the file is written in."""
    name, wanted = _BOUNDS[detail["type"]]
    unit = _type_at(path)
    bound = detail["ctx"][name]
    if isinstance(unit, type) and issubclass(unit, Quantity):
        bound = unit(bound)
    bound = f"{bound:g}" if isinstance(bound, float) else bound
    message = f"{_called(path)} is {shown(detail['input'])}; it must be {wanted.format(bound)}"
    return _error("SPC004", source.locate(path), message, _description(path), path)


def _addition(path: Path) -> str:
    """The line to add for a key that is missing; dots stand for what only the person knows."""
    wanted = _type_at(path)
    value = "..."
    if get_origin(wanted) is Literal and len(get_args(wanted)) == 1:
        value = str(get_args(wanted)[0])
    elif get_origin(wanted) is tuple:
        value = "[...]"
    elif get_origin(wanted) in (dict, Mapping) or _fields(wanted):
        value = "{ ... }"
    return f"add {path[-1]}: {value} ({_description(path).rstrip('.')})"


def _in_source(source: Source, loc: tuple[int | str, ...]) -> Path:
    """The error's place without pydantic's own markers for keys and union members."""
    path: Path = ()
    node = source.root
    for index, key in enumerate(loc):
        last = index == len(loc) - 1
        child = node.values.get(key) if node else None
        if child is not None:
            path, node = (*path, key), child
        elif last and key != "[key]":
            path = (*path, key)
    return path


def _called(path: Path) -> str:
    """The last key with the indexes behind it, such as `data[0]`."""
    keys = [index for index, key in enumerate(path) if isinstance(key, str)]
    tail = path[keys[-1] :] if keys else ()
    parts = (f"[{key}]" if isinstance(key, int) else named(key) for key in tail)
    return "".join(parts) or "the file"


def _fields(model: Any) -> dict[str, Any]:
    """The fields of a model by the names that they have in the file."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return {}
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _description(path: Path) -> str:
    """What the reference says of the field at a path, or of the part around it."""
    field = _fields(_type_at(path[:-1])).get(str(path[-1])) if path else None
    if field is not None:
        return str(field.description)
    return _description(path[:-1]) if path else "see the reference of host.yaml"


def _type_at(path: Path) -> Any:
    """The annotation at a path of the spec: a model, a mapping, a tuple or a leaf."""
    here: Any = HostSpec
    for key in path:
        fields = _fields(here)
        if fields:
            here = _plain(fields[str(key)].annotation) if str(key) in fields else None
        elif get_origin(here) in (dict, Mapping, tuple):
            here = _plain([a for a in get_args(here) if a is not ...][-1])
        else:
            return None
    return here


def _plain(annotation: Any) -> Any:
    """An annotation without Annotated and without `| None`."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        parts = [a for a in get_args(annotation) if a is not type(None)]
        annotation = parts[0]
    return annotation


def _holds_secrets(annotation: Any) -> bool:
    """Whether a part refers to secrets, so that a person may have written a value there."""
    if isinstance(annotation, Secretive) or annotation is Secret:
        return True
    parts = [
        part for info in _fields(annotation).values() for part in (info.annotation, *info.metadata)
    ]
    return any(_holds_secrets(part) for part in (*parts, *get_args(annotation)))
