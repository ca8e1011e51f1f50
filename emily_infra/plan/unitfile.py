"""Unit files as a switch reads them, and whether two of them differ in what matters.

The rules are those of NixOS's switch-to-configuration (switch-to-configuration-ng, compare_units).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

Files = Mapping[str, str]
"""The texts of a folder of units by name; drop-ins as `NAME.d/FILE.conf`."""
Unit = Mapping[str, Mapping[str, Sequence[str]]]
"""Sections, their keys, and every value of a key."""

_INSTANCE = re.compile(r"(.*)@[^.]*\.(.*)")
_TRUE = ("1", "yes", "true", "on")
_UNIMPORTANT = frozenset(
    {
        "AllowIsolate", "CollectMode", "Description", "Documentation", "IgnoreOnIsolate",
        "OnFailure", "OnFailureJobMode", "OnSuccess", "RefuseManualStart", "RefuseManualStop",
        "SourcePath", "StopWhenUnneeded", "X-Reload-Triggers",
    }
)  # fmt: skip
"""Keys of [Unit] for which nothing is restarted."""


class Difference(Enum):
    """How far two versions of a unit are apart."""

    NONE = 0
    RELOAD = 1
    RESTART = 2


def base(unit: str, *folders: Files) -> str:
    """The file that a unit is made from: its own, or its template's where no folder has one."""
    instance = _INSTANCE.fullmatch(unit)
    if instance and not any(unit in folder for folder in folders):
        return f"{instance[1]}@.{instance[2]}"
    return unit


def parsed(unit: str, file: str, folder: Files) -> Unit:
    """A unit with everything that is laid over it."""
    found: dict[str, dict[str, list[str]]] = {}
    names = dict.fromkeys((file, *_drop_ins(file, folder), *_drop_ins(unit, folder)))
    for name in names:
        _lay(found, folder.get(name, ""))
    return found


def _drop_ins(unit: str, folder: Files) -> Iterator[str]:
    return (n for n in sorted(folder) if n.startswith(f"{unit}.d/") and n.endswith(".conf"))


def _lay(found: dict[str, dict[str, list[str]]], text: str) -> None:
    """An empty value takes back what was there; [Install] is of no account."""
    section: dict[str, list[str]] = {}
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = {} if line == "[Install]" else found.setdefault(line[1:-1], {})
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or line[0] in "#;":
            continue
        values = section.setdefault(key, [])
        values[:] = [*values, value] if value else []


def says(unit: Unit, section: str, key: str, *, otherwise: bool) -> bool:
    """A switch in a unit."""
    values = unit.get(section, {}).get(key)
    return values[-1] in _TRUE if values else otherwise


def compared(old: Unit, new: Unit) -> Difference:
    """What a switch makes of the change from one to the other."""
    worst = Difference.NONE
    for section in old.keys() | new.keys():
        if section != "Unit" and (section in old) != (section in new):
            return Difference.RESTART
        before, after = old.get(section, {}), new.get(section, {})
        for key in before.keys() | after.keys():
            found = _of_key(section, key, before.get(key), after.get(key))
            worst = max(worst, found, key=lambda each: each.value)
    return worst


def _of_key(
    section: str, key: str, old: Sequence[str] | None, new: Sequence[str] | None
) -> Difference:
    if old == new:
        return Difference.NONE
    if section == "Unit" and key in _UNIMPORTANT:
        # A trigger that goes away triggers nothing.
        reloads = key == "X-Reload-Triggers" and new is not None
        return Difference.RELOAD if reloads else Difference.NONE
    options = (section, key) == ("Mount", "Options") and old is not None and new is not None
    return Difference.RELOAD if options else Difference.RESTART
