"""Files of the runtime on a host: read as far as they can be, written whole or not at all."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from emily_infra.machine import Machine

T = TypeVar("T", bound=BaseModel)

_WRITE = 'mkdir -p "${1%/*}" && cat >"$1.new" && sync "$1.new" && mv "$1.new" "$1"'


def text(machine: Machine, path: str) -> str:
    """What stands there; nothing where there is no such file."""
    return machine.run("sh", "-c", 'cat "$1" 2>/dev/null || :', "sh", path)


def read(machine: Machine, path: str, kind: type[T]) -> T | None:
    """What lies there; nothing where nothing does, or what a newer program wrote."""
    found = text(machine, path)
    try:
        return kind.model_validate_json(found) if found else None
    except ValidationError:
        return None


def write(machine: Machine, path: str, what: BaseModel) -> None:
    """All of it or nothing, also after a power cut."""
    machine.run("sh", "-c", _WRITE, "sh", path, stdin=what.model_dump_json())
