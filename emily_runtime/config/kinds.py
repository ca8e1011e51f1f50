"""What a setting may be: each kind says in words what it wants, and reads what it was given."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import field, fields
from datetime import date
from ipaddress import ip_address
from typing import Any, NamedTuple

NAME = re.compile(r"[a-z][a-z0-9-]*")
MOST_WORDS = 256


class Unfit(Exception):
    """A value that a kind does not take."""


class Kind(NamedTuple):
    """A kind of setting."""

    wanted: str
    """As in "must be a port"."""
    read: Callable[[object], Any]
    """The value, or Unfit."""


def setting(default: object, kind: Kind, *, reloads: bool = False) -> Any:
    """A field of a section; RELOADS says whether a running process takes a new value over."""
    metadata = {"kind": kind, "reloads": reloads}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def _checked(wanted: str, is_fit: Callable[[Any], bool], type_: type) -> Kind:
    def read(value: object) -> object:
        if type(value) is not type_ or not is_fit(value):
            raise Unfit
        return value

    return Kind(wanted, read)


def whole(lowest: int, highest: int) -> Kind:
    """A whole number within bounds."""
    return _checked(
        f"a whole number from {lowest:,} to {highest:,}", lambda n: lowest <= n <= highest, int
    )


def number(lowest: float, highest: float = math.inf) -> Kind:
    """A number within bounds; a whole one will do."""
    words = f"from {lowest:g} to {highest:g}" if highest < math.inf else f"of {lowest:g} or more"

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unfit
        if not lowest <= value <= highest or not math.isfinite(value):
            raise Unfit
        return float(value)

    return Kind(f"a number {words}", read)


def one_of(*values: str) -> Kind:
    """One of some words."""
    words = f"{', '.join(values[:-1])} or {values[-1]}"
    return _checked(words, lambda value: value in values, str)


def some_of(*values: str) -> Kind:
    """A list of some of these words, none twice."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or len(set(map(str, value))) < len(value):
            raise Unfit
        if any(one not in values for one in value):
            raise Unfit
        return tuple(value)

    return Kind(f"a list of {', '.join(values)}, none twice", read)


def text(wanted: str, most: int = 1000) -> Kind:
    """Any text on one line, not empty."""
    return _checked(wanted, lambda value: 0 < len(value) <= most and value.isprintable(), str)


def words(wanted: str = "a list of words in lower case") -> Kind:
    """A list of single words, each as case folding leaves it."""

    def read(value: object) -> frozenset[str]:
        if not isinstance(value, list) or len(value) > MOST_WORDS:
            raise Unfit
        for word in value:
            if not isinstance(word, str) or not re.fullmatch(r"\w+", word):
                raise Unfit
            if word != word.casefold():
                raise Unfit
        return frozenset(value)

    return Kind(wanted, read)


def strings(wanted: str) -> Kind:
    """A list of texts."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or any(not isinstance(one, str) for one in value):
            raise Unfit
        return tuple(value)

    return Kind(wanted, read)


def _five(value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != 5:
        raise Unfit
    return tuple(_FINITE.read(one) for one in value)


def _square(value: object) -> tuple[tuple[float, ...], ...]:
    if not isinstance(value, list) or len(value) != 5:
        raise Unfit
    return tuple(_five(row) for row in value)


def _prices(value: object) -> dict[str, tuple[float, float]]:
    if not isinstance(value, dict):
        raise Unfit
    prices = {}
    for name, pair in value.items():
        if not isinstance(pair, list) or len(pair) != 2:
            raise Unfit
        read, written = (_PRICE.read(one) for one in pair)
        prices[name] = (read, written)
    return prices


def _address(value: object) -> object:
    try:
        ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise Unfit from None
    return value


def _credential(value: object) -> object:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise Unfit
    return value


def _power_of_two(value: object) -> object:
    if type(value) is not int or not 2 <= value <= 2**20 or value & (value - 1):
        raise Unfit
    return value


def _day(value: object) -> object:
    try:
        date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise Unfit from None
    return value


_FINITE = number(-1e6, 1e6)
_PRICE = number(0, 1e6)
PRICES = Kind("a table of MODEL = [dollars read, dollars written]", _prices)
FIVE = Kind("five numbers", _five)
SQUARE = Kind("five rows of five numbers", _square)
ADDRESS = Kind("an IP address", _address)
CREDENTIAL = Kind("the name of a credential", _credential)
SLOTS = Kind("a power of two from 2 to 1,048,576", _power_of_two)
PORT = _checked("a port", lambda value: 0 <= value <= 65535, int)
YES_OR_NO = _checked("true or false", lambda _: True, bool)
SHARE = number(0, 1)
URL = _checked(
    "an http or https address", lambda value: bool(re.fullmatch(r"https?://[!-~]+", value)), str
)
DAY = Kind("a day such as 2026-11-22", _day)


def kinds(section: Any) -> Mapping[str, Kind]:
    """Each setting of a section with its kind."""
    return {one.name: one.metadata["kind"] for one in fields(section)}
