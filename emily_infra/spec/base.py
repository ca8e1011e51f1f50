"""What every part of the spec is built from: strict frozen models and shaped text."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from emily_infra.spec.credentials import blotted

_LONGEST = 60
_SEEN = 1_000
_NAME = re.compile(rf"[A-Za-z0-9_./:+@-]{{1,{_LONGEST}}}")


class Strict(BaseModel):
    """A part of host.yaml: unknown keys are refused, values keep their type, nothing changes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        defer_build=True,  # the root builds all parts once; half the start-up time
    )


def wrong(message: str, hint: str) -> PydanticCustomError:
    """The error that `load` turns into a finding with this message and this hint."""
    return PydanticCustomError("emily", "{message}", {"message": message, "hint": hint})


@dataclass(frozen=True)
class Shaped:
    """Text of one shape, for `Annotated[str, Shaped(...)]`; a mismatch says what is wanted."""

    pattern: str
    what: str
    hint: str

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.ASCII)

    def check(self, value: object) -> str:
        """The text itself, where it has the shape."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not self._regex.fullmatch(value):
            raise wrong(f"{shown(value)} is not {self.what}", self.hint)
        return value

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True)
class Secretive(Shaped):
    """Shaped text in whose place a person may write a secret: a message never repeats it."""

    def check(self, value: object) -> str:
        """The text itself, where it has the shape."""
        if isinstance(value, str) and self._regex.fullmatch(value):
            return value
        context = {"message": f"this is not {self.what}", "hint": self.hint, "secret": True}
        raise PydanticCustomError("emily", "{message}", context)


def shown(value: object) -> str:
    """A value as a message quotes it: short, on one line, no control character and no secret."""
    match value:
        case str():
            text = blotted(repr(value[:_SEEN]))
        case dict():
            text = "a mapping"
        case tuple():
            text = "a list"
        case None:
            text = "nothing"
        case _:
            text = str(value).lower()  # true and false as YAML writes them
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def named(key: str) -> str:
    """A key of a mapping as a message names it: bare where it is a word."""
    return key if _NAME.fullmatch(key) else shown(key)
