"""Quantities with their units: sizes, line rates, durations and calendar times."""

import re
from abc import abstractmethod
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from emily_infra.spec.base import shown, wrong

_WRITTEN = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,6}))? ?([A-Za-z]+)")


class Parsed:
    """What is parsed from a text that a person wrote, and written as text again."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    def parse(cls, value: object) -> Self:
        """What a text names; the error of `wrong` for any other value."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )


class Quantity(Parsed, int):
    """A whole number of base units, written with a unit; a bare number is refused."""

    units: ClassVar[dict[str, int]]
    what: ClassVar[str]
    example: ClassVar[str]
    limit: ClassVar[int] = 1 << 63

    @classmethod
    def parse(cls, value: object) -> Self:
        """The quantity that a text such as `12TB` names."""
        if isinstance(value, cls):
            return value
        found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
        scale = cls.units.get(found[3]) if found else None
        if not found or scale is None:
            units = " ".join(cls.units)
            hint = f"write a number with a unit, such as {cls.example}; units: {units}"
            hint = cls._meant(found) or hint
            raise wrong(f"{shown(value)} is not {cls.what}", hint)
        fraction = found[2] or ""
        amount, rest = divmod(int(found[1] + fraction) * scale, 10 ** len(fraction))
        smallest = next(iter(cls.units))
        if rest:
            raise wrong(f"{value} is not a whole number of {smallest}", "write a smaller unit")
        if amount >= cls.limit:
            raise wrong(f"{value} is too large", f"less than {cls.limit}{smallest} can be counted")
        return cls(amount)

    @classmethod
    def _meant(cls, found: re.Match[str] | None) -> str:
        """A question with the spellings that are near; nothing where none is."""
        if not found:
            return ""
        written = found[3].lower()
        endings = {written, f"{written}b", f"{written}ib"}
        near = [unit for unit in cls.units if unit.lower() in endings]
        number = found[0][: -len(found[3])].rstrip()
        return f"did you mean {' or '.join(number + unit for unit in near)}?" if near else ""

    def __str__(self) -> str:
        """The shortest exact text: the largest unit that divides it."""
        if not self:
            return f"0{next(iter(self.units))}"
        unit = max((u for u in self.units if self % self.units[u] == 0), key=self.units.__getitem__)
        return f"{int(self) // self.units[unit]}{unit}"

    __repr__ = __str__

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        units = "|".join(cls.units)
        pattern = rf"^[0-9]{{1,19}}(\.[0-9]{{1,6}})? ?({units})$"
        return {"type": "string", "pattern": pattern, "examples": [cls.example]}


class Size(Quantity):
    """Bytes. `12TB` is 12 * 10^12, `12TiB` is 12 * 2^40."""

    units = {"B": 1} | {
        f"{prefix}{mark}": base**power
        for power, prefix in enumerate("KMGTP", start=1)
        for mark, base in (("B", 1000), ("iB", 1024))
    }
    what = "a size"
    example = "12TB"


def approximately(size: int) -> str:
    """Bytes as people say them, decimal and with one digit: `63.9 GB`."""
    power = min(5, max(0, len(str(abs(int(size)))) - 1) // 3)
    if not power:
        return f"{int(size)} B"
    return f"{int(size) / 1000**power:.1f} {' KMGTP'[power]}B"


class Rate(Quantity):
    """Bits in a second, as line rates are sold."""

    units = {"bps": 1, "Kbps": 10**3, "Mbps": 10**6, "Gbps": 10**9}
    what = "a rate"
    example = "1Gbps"


class Duration(Quantity):
    """Milliseconds."""

    units = {
        "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000
    }  # fmt: skip
    what = "a duration"
    example = "90d"

    @property
    def seconds(self) -> int:
        """Whole seconds, rounded up."""
        return -(-int(self) // 1000)


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORDS = {"hourly": "*-*-* *:00:00", "daily": "*-*-* 00:00:00", "weekly": "Mon *-*-* 00:00:00",
          "monthly": "*-*-01 00:00:00"}  # fmt: skip
_CALENDAR = re.compile(
    rf"(?:{'|'.join(_WORDS)})|(?:(?:{'|'.join(_DAYS)}) )?(?:[01][0-9]|2[0-3]):[0-5][0-9]"
)


class Calendar(Parsed, str):
    """When a timer fires, in UTC: `hourly`, `daily`, `weekly`, `monthly`, `02:00` or `Sun 04:00`.

    UTC, because a local calendar skips or repeats an hour twice a year and systemd with it.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """The calendar that a text names."""
        if isinstance(value, str) and _CALENDAR.fullmatch(value):
            return cls(value)
        hint = "write hourly, daily, weekly, monthly, 02:00 or Sun 04:00 (UTC)"
        raise wrong(f"{shown(value)} is not a time of day or week", hint)

    @property
    def on_calendar(self) -> str:
        """The same time as systemd writes it (systemd.time(7))."""
        if self in _WORDS:
            return f"{_WORDS[self]} UTC"
        day, _, time = self.rpartition(" ")
        return f"{day} *-*-* {time}:00 UTC".lstrip()

    @property
    def period(self) -> Duration:
        """The longest time between two firings."""
        if self in _WORDS:
            return Duration.parse({"hourly": "1h", "daily": "1d", "weekly": "7d"}.get(self, "31d"))
        return Duration.parse("7d" if " " in self else "1d")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": f"^(?:{_CALENDAR.pattern})$",
            "examples": ["daily", "02:00", "Sun 04:00"],
        }


_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY = 24 * 60


class Hours(Parsed, str):
    """A part of every day in UTC, such as `22:00-06:00`."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """The hours that a text names."""
        hint = "write from and to in UTC, such as 22:00-06:00"
        if not isinstance(value, str) or not _HOURS.fullmatch(value):
            raise wrong(f"{shown(value)} is no part of a day", hint)
        if value[:5] == value[6:]:
            raise wrong(f"{value} is no time at all, or all day", f"leave it out, or {hint}")
        return cls(value)

    @property
    def minutes(self) -> tuple[int, int]:
        """From and to in minutes of the day; from after to means over midnight."""
        begin, end = (int(part[:2]) * 60 + int(part[3:]) for part in self.split("-"))
        return begin, end

    @property
    def length(self) -> Duration:
        """How long they last."""
        begin, end = self.minutes
        return Duration((end - begin) % _DAY * Duration.units["min"])

    def holds(self, minute: int) -> bool:
        """Whether a minute of the day is in them."""
        begin, _ = self.minutes
        return (minute - begin) % _DAY * Duration.units["min"] < self.length

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{_HOURS.pattern}$", "examples": ["22:00-06:00"]}
