"""Unit files: read with their drop-ins, and compared for what a change asks for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

Sections = Mapping[str, Mapping[str, list[str]]]

_YES = {"1", "yes", "true", "on"}
_NO_MATTER = {
    "X-Reload-Triggers", "Description", "Documentation", "OnFailure", "OnSuccess",
    "OnFailureJobMode", "IgnoreOnIsolate", "StopWhenUnneeded", "RefuseManualStart",
    "RefuseManualStop", "AllowIsolate", "CollectMode", "SourcePath",
}  # fmt: skip
"""Keys of [Unit] that a running unit has no use for."""


class Change(Enum):
    """What the difference between two versions of a unit asks for."""

    NONE = 0
    RELOAD = 1
    RESTART = 2


class State(Enum):
    """Whether a folder describes a unit."""

    PRESENT = "present"
    MASKED = "masked"
    MISSING = "missing"


def parse(*texts: str) -> Sections:
    """The sections of a unit and its drop-ins; an empty value forgets those before it."""
    sections: dict[str, dict[str, list[str]]] = {}
    for text in texts:
        keys: dict[str, list[str]] = {}
        for line in map(str.strip, text.splitlines()):
            if line.startswith("[") and line.endswith("]"):
                name = line[1:-1]
                keys = {} if name == "Install" else sections.setdefault(name, {})
            elif "=" in line and line[0] not in "#;":
                key, value = (part.strip() for part in line.split("=", 1))
                keys[key] = [*keys.get(key, []), value] if value else []
    return sections


def flag(unit: Sections, section: str, key: str, *, default: bool) -> bool:
    """A yes or a no; of several the last counts."""
    values = unit.get(section, {}).get(key)
    return values[-1] in _YES if values else default


def compare(old: Sections, new: Sections) -> Change:
    """Whether a unit that was started from `old` must be reloaded or restarted for `new`."""
    added = new.keys() - old.keys()
    if len(added) > 1 or _empty(old, old.keys() - new.keys()) or _empty(new, added):
        return Change.RESTART
    changes = [
        _key(name, key, old.get(name, {}).get(key), new.get(name, {}).get(key))
        for name in old.keys() | added
        for key in old.get(name, {}).keys() | new.get(name, {}).keys()
    ]
    return max(changes, key=lambda change: change.value, default=Change.NONE)


def _empty(unit: Sections, names: set[str]) -> bool:
    """Whether one of these sections says nothing, which has no rule of its own."""
    return any(not unit[name] for name in names if name != "Unit")


def _key(section: str, key: str, old: list[str] | None, new: list[str] | None) -> Change:
    if old == new:
        return Change.NONE
    if section == "Unit" and key in _NO_MATTER:
        asks = key == "X-Reload-Triggers" and new is not None
        return Change.RELOAD if asks else Change.NONE
    if (section, key) == ("Service", "ExecReload"):
        return Change.NONE if new is None else Change.RELOAD
    if (section, key) == ("Mount", "Options") and old is not None and new is not None:
        return Change.RELOAD
    return Change.RESTART


@dataclass(frozen=True)
class Folder:
    """The units that one generation describes, over those of the distribution."""

    path: Path
    vendor: Path

    def describes(self, name: str) -> bool:
        """Whether the generation itself says anything about a unit or its template."""
        return any((self.path / one).exists() or any(self._drop_ins(one)) for one in _names(name))

    def state(self, name: str) -> State:
        """Whether a unit is there for systemd; a link to nothing is as good as none."""
        for one in _names(name):
            for folder in (self.path, self.vendor):
                path = folder / one
                if path.is_symlink() and path.resolve() == Path("/dev/null"):
                    return State.MASKED
                if path.exists():
                    return State.PRESENT
        return State.MISSING

    def read(self, name: str) -> Sections:
        """A unit with its drop-ins; an instance is its template with drop-ins of its own."""
        texts = []
        for one in reversed(_names(name)):
            base = next((p for p in (self.path / one, self.vendor / one) if p.exists()), None)
            if base is not None:
                texts = [base.read_text()]
            texts += [path.read_text() for path in self._drop_ins(one)]
        return parse(*texts)

    def _drop_ins(self, name: str) -> Iterator[Path]:
        yield from sorted((self.path / f"{name}.d").glob("*.conf"))


def _names(name: str) -> tuple[str, ...]:
    """A unit, and the template that it is an instance of."""
    stem, _, suffix = name.rpartition(".")
    template, at, instance = stem.partition("@")
    return (name, f"{template}@.{suffix}") if at and instance else (name,)
