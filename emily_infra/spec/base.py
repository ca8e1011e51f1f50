"""What every part of the spec is built from: strict frozen models and shaped text."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


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

    def check(self, value: object) -> str:
        """The text itself, where it has the shape."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
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
    """Shaped text beside which a person may write a secret by mistake: a message never repeats it."""

    def check(self, value: object) -> str:
        """The text itself, where it has the shape."""
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            return value
        context = {"message": f"this is not {self.what}", "hint": self.hint, "secret": True}
        raise PydanticCustomError("emily", "{message}", context)


def shown(value: object) -> str:
    """A value as a message quotes it: short, on one line, and never a control character."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
