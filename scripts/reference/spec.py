"""docs/reference/spec.md: every key of host.yaml, from the models."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from emily_infra.spec.host import HostSpec
from scripts.reference.markdown import prose, row, table
from scripts.reference.words import words


@dataclass(frozen=True)
class Part:
    """A model at the first place of host.yaml where it stands."""

    path: str
    model: type[BaseModel]

    @property
    def title(self) -> str:
        """Its place as a heading."""
        return self.path or "The whole file"

    @property
    def anchor(self) -> str:
        """The heading's anchor, which is the same in MkDocs and in a forge."""
        return re.sub(r"[^\w -]", "", self.title.lower()).replace(" ", "-")


def page() -> Iterator[str]:
    """The page, line by line."""
    yield "# host.yaml\n"
    yield (
        "Every key of `hosts/HOST/host.yaml`. A key that is not here is refused. `NAME` stands for "
        "a name of your choice, `[]` for each item of a list. `emily-infra show HOST --resolved` "
        "prints a host with all defaults filled in; `hosts/host.schema.json` tells an "
        "[editor](../guide/editor.md) the same.\n"
    )
    found: dict[type[BaseModel], Part] = {}
    _collect(HostSpec, "", found)
    anchors = {model: part.anchor for model, part in found.items()}
    for part in found.values():
        yield f"## {part.title}\n"
        yield f"{prose(cleandoc(part.model.__doc__ or ''))}\n"
        yield table("key | value | default | what it is", list(_rows(part, anchors)))


def _collect(model: type[BaseModel], path: str, found: dict[type[BaseModel], Part]) -> None:
    """Enter every model once, in the order of the file."""
    found[model] = Part(path, model)
    for name, info in model.model_fields.items():
        key = f"{path}.{info.alias or name}".lstrip(".")
        for inner, below in _models(info.annotation, key):
            if inner not in found:
                _collect(inner, below, found)


def _models(annotation: object, path: str) -> Iterator[tuple[type[BaseModel], str]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, path
    origin = get_origin(annotation)
    suffix = ".NAME" if origin is dict else "[]" if origin is tuple else ""
    for argument in get_args(annotation):
        yield from _models(argument, path + suffix)


def _rows(part: Part, anchors: dict[type[BaseModel], str]) -> Iterator[str]:
    for name, info in part.model.model_fields.items():
        key = info.alias or name
        spot = f'<a id="{part.path}.{key}"></a>'.replace("[]", "") if part.path else ""
        value = words(info.annotation, tuple(info.metadata), anchors)
        yield row(f"{spot}`{key}`", value, default(info), prose(info.description or ""))


def default(info: FieldInfo) -> str:
    """What holds where the key is left out."""
    value = info.default
    if info.is_required():
        return "**required**"
    if isinstance(value, BaseModel):
        return "its own defaults"
    if value is None or value in ((), {}):
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    items = value if isinstance(value, tuple) else (value,)
    return ", ".join(f"`{item:g}`" if isinstance(item, float) else f"`{item}`" for item in items)
