"""The types of host.yaml in words."""

from collections.abc import Callable, Mapping
from datetime import date
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)  # fmt: skip
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from emily_infra.spec.base import Shaped
from emily_infra.spec.units import Calendar, Hours, Quantity

Anchors = Mapping[type[BaseModel], str]

_PLAIN: dict[object, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "`true` or `false`",
    date: "a date, such as `2027-06-30`",
    Calendar: "a time in UTC, such as `daily`, `02:00` or `Sun 04:00`",
    Hours: "hours of the day in UTC, such as `22:00-06:00`",
}
_ADDRESSES: dict[object, str] = {
    IPv4Address: "an IP address",
    IPv4Interface: "an address with its prefix, such as `10.10.0.2/24`",
    IPv4Network: "a network, such as `10.0.0.0/24`",
}
_ALSO_IPV6 = (IPv6Address, IPv6Interface, IPv6Network, NoneType)


def words(annotation: object, metadata: tuple[object, ...], anchors: Anchors) -> str:
    """What may stand at a place of this type; models become links."""
    origin, inner = get_origin(annotation), get_args(annotation)
    for shape in metadata:
        if isinstance(shape, Shaped):
            return shape.what
        if isinstance(shape, BeforeValidator) and get_origin(shape.json_schema_input_type):
            return words(shape.json_schema_input_type, (), anchors)
    if origin is Annotated:
        return words(inner[0], inner[1:], anchors)
    if origin in (Union, UnionType):
        members = [member for member in inner if member not in _ALSO_IPV6]
        return ", or ".join(words(member, metadata, anchors) for member in members)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin is tuple:
        return f"a list; each {words(inner[0], (), anchors)}"
    if origin is dict:
        key, value = (words(part, (), anchors) for part in inner)
        return f"a mapping from {key} to {value}"
    return _leaf(annotation, metadata, anchors)


def _leaf(annotation: object, metadata: tuple[object, ...], anchors: Anchors) -> str:
    if annotation in _ADDRESSES:
        return _ADDRESSES[annotation]
    if not isinstance(annotation, type):
        raise TypeError(f"a type without words: {annotation!r}")
    if issubclass(annotation, BaseModel):
        return f"[{annotation.__name__.lower()}](#{anchors[annotation]})"
    if issubclass(annotation, Quantity):
        text = f"{annotation.what}, such as `{annotation.example}`"
        return text + _limits(metadata, annotation)
    return _PLAIN[annotation] + _limits(metadata, "{:g}".format if annotation is float else int)


def _limits(metadata: tuple[object, ...], unit: Callable[[float], object]) -> str:
    """The limits in the unit of the value; pydantic may wrap them in a FieldInfo."""
    flat = [x for m in metadata for x in (m.metadata if isinstance(m, FieldInfo) else [m])]
    least = [unit(m.ge) for m in flat if isinstance(m, Ge) and isinstance(m.ge, int | float)]
    most = [unit(m.le) for m in flat if isinstance(m, Le) and isinstance(m.le, int | float)]
    if least and most:
        return f", `{least[0]}` to `{most[0]}`"
    if least:
        return f", at least `{least[0]}`"
    return f", at most `{most[0]}`" if most else ""
