"""What a running process takes over of a new configuration."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from emily_runtime.config.config import NAMED, TABLES, Config


def reloaded(running: Config, wanted: Config) -> tuple[Config, tuple[str, ...]]:
    """The configuration to go on with, and the settings that wait for a restart.

    Flags and reflexes are taken over whole; of the other sections, what says that it reloads.
    """
    waiting: list[str] = []
    taken: dict[str, Any] = {name: getattr(wanted, name) for name in NAMED}
    for name in TABLES:
        old, new = getattr(running, name), getattr(wanted, name)
        if isinstance(old, Mapping):
            waiting += [name] * (old != new)
            continue
        changed = [one for one in fields(old) if getattr(old, one.name) != getattr(new, one.name)]
        swift = {one.name: getattr(new, one.name) for one in changed if one.metadata["reloads"]}
        waiting += [f"{name}.{one.name}" for one in changed if one.name not in swift]
        taken[name] = replace(old, **swift)
    return replace(running, file=wanted.file, **taken), tuple(waiting)
