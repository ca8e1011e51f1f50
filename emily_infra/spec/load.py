"""From a file to a typed host, or to everything that is wrong with it."""

import difflib
import types
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from emily_infra.errors import EmilyError
from emily_infra.findings import Finding, Location, Severity
from emily_infra.findings import Path as Place
from emily_infra.spec.base import shown
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.source import MAX_BYTES, Source, read

SPEC = "host.yaml"
_WANTED = {
    "string_type": "text", "int_type": "a whole number", "bool_type": "true or false",
    "tuple_type": "a list", "dict_type": "a mapping", "model_type": "a mapping",
    "model_attributes_type": "a mapping", "literal_error": "one of the words below",
}  # fmt: skip


class NoSuchHost(EmilyError):
    """A name that is no folder of hosts/."""

    code = "CLI001"


@dataclass(frozen=True)
class Loaded:
    """The hosts that can be trusted, and what is wrong with the others."""

    fleet: dict[str, Host] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def find_root(start: Path) -> Path:
    """The folder with `hosts/`, at or above start."""
    for folder in (start, *start.parents):
        if (folder / "hosts").is_dir():
            return folder
    raise NoSuchHost(
        f"no folder hosts/ in {start} or above it",
        hint="go to your checkout, or begin one here with: emily-infra init HOST",
    )


def host_names(root: Path) -> list[str]:
    """Every folder of hosts/ that holds a host.yaml."""
    return sorted(path.parent.name for path in (root / "hosts").glob(f"*/{SPEC}"))


def load(root: Path, names: list[str]) -> Loaded:
    """The named hosts, or all of them where no name is given."""
    known = host_names(root)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = (
                f"did you mean {near[0]}?" if near else f"hosts here: {', '.join(known) or 'none'}"
            )
            raise NoSuchHost(f"hosts/{name}/{SPEC} does not exist", hint=hint)
    loaded = Loaded()
    for name in names or known:
        host, findings = load_host(root / "hosts" / name / SPEC, f"hosts/{name}/{SPEC}")
        loaded.findings.extend(replace(finding, host=name) for finding in findings)
        if host:
            loaded.fleet[name] = host
    return loaded


def load_host(path: Path, file: str) -> tuple[Host | None, list[Finding]]:
    """One file as a host named after its folder."""
    try:
        if not path.is_file():
            raise OSError("it is not a plain file")
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        hint = f"look at it with: ls -l {file}"
        return None, [Finding("YML001", Severity.ERROR, Location(file), message, hint)]
    return parse(path.parent.name, file, raw)


def parse(name: str, file: str, raw: bytes) -> tuple[Host | None, list[Finding]]:
    """The bytes of a host.yaml as a host, or everything that is wrong with them."""
    source, findings = read(file, raw)
    if source.root is None and findings:
        return None, findings
    if not isinstance(source.data, dict):
        hint = "begin with: emily: 1, or write a starter with: emily-infra init HOST"
        text = "the file is empty" if source.data is None else "the file is not a mapping"
        return None, [*findings, _error("SPC003", source.locate(()), text, hint)]
    try:
        spec = HostSpec.model_validate(source.data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        found = [_translate(source, detail) for detail in details if not _follows(detail, details)]
        return None, [*findings, *found]
    return (None if findings else Host(name, spec, source)), findings


def _error(code: str, place: Location, message: str, hint: str, at: Place = ()) -> Finding:
    return Finding(code, Severity.ERROR, place, message, hint, at)


def _follows(detail: ErrorDetails, others: list[ErrorDetails]) -> bool:
    """Whether a collection is only too short because its own items are wrong."""
    loc = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in others
    )


def _translate(source: Source, detail: ErrorDetails) -> Finding:
    kind, path = detail["type"], _in_source(source, detail["loc"])
    name = str(path[-1]) if path else "the file"
    here = source.locate(path)
    match kind:
        case "extra_forbidden":
            known = _keys(path[:-1])
            near = difflib.get_close_matches(name, known, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            message = f"{name} is not a key of {_owner(path)}"
            return _error("SPC001", source.locate_key(path), message, hint, path)
        case "missing":
            hint = f"add {name}: {_description((*path[:-1], name))}"
            return _error("SPC002", here, f"{_owner(path)} lacks {name}", hint, path)
        case "emily":
            context = detail.get("ctx", {})
            if "[key]" in detail["loc"]:
                here = source.locate_key(path)
            here = here.hidden() if context.get("secret") else here
            return _error("SPC004", here, context["message"], context["hint"], path)
        case _ if kind in _WANTED:
            hint = detail["msg"].removeprefix("Input should be ")
            hint = f"write {hint}" if kind == "literal_error" else _description(path)
            message = f"{name} wants {_WANTED[kind]}, not {shown(detail['input'])}"
            return _error("SPC003", here, message, hint, path)
        case _:
            message = f"{name}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
            return _error("SPC004", here, message, _description(path), path)


def _in_source(source: Source, loc: tuple[int | str, ...]) -> Place:
    """The error's place without pydantic's own markers for keys and union members."""
    path: Place = ()
    node = source.root
    for index, key in enumerate(loc):
        last = index == len(loc) - 1
        child = node.values.get(key) if node else None
        if child is not None:
            path, node = (*path, key), child
        elif last and key != "[key]":
            path = (*path, key)
    return path


def _owner(path: Place) -> str:
    return str(path[-2]) if len(path) > 1 else "the file"


def _keys(path: Place) -> list[str]:
    model = _type_at(path)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


def _description(path: Place) -> str:
    """What the reference says of the field at a path."""
    owner = _type_at(path[:-1])
    if path and isinstance(owner, type) and issubclass(owner, BaseModel):
        for name, info in owner.model_fields.items():
            if path[-1] in (name, info.alias):
                return info.description or ""
    return _description(path[:-1]) if path else "see the reference of host.yaml"


def _type_at(path: Place) -> Any:
    """The annotation at a path of the spec: a model, a mapping, a tuple or a leaf."""
    here: Any = HostSpec
    for key in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            fields = {info.alias or name: info for name, info in here.model_fields.items()}
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
