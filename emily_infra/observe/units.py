"""What systemd runs, and what people have laid over it by hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from emily_infra.observe.answer import Answer
from emily_infra.observe.links import Links, below
from emily_infra.observe.values import json_of, records, word

_BASE = "/etc/systemd/system"
_FOLDERS = (
    f"{_BASE}.control",
    "/run/systemd/system",
    "/run/systemd/system.control",
    _BASE,
)


@dataclass(frozen=True)
class Unit:
    """A loaded unit: `active` and `sub` as systemctl calls them."""

    name: str
    load: str
    active: str
    sub: str


@dataclass(frozen=True)
class Override:
    """A file or link in the folders that people edit units in."""

    path: str
    target: str = ""
    """Where it leads; empty where it is a plain file."""

    @property
    def masks(self) -> bool:
        """Whether it keeps a unit from ever starting."""
        return self.target == "/dev/null"

    @property
    def unit(self) -> str:
        """The unit it is about."""
        parts = self.path.split("/")
        folder = parts[-2] if len(parts) > 1 else ""
        return folder.removesuffix(".d") if folder.endswith(".d") else parts[-1]


@dataclass(frozen=True)
class Units:
    """Every loaded unit, and what lies over the generated ones."""

    loaded: tuple[Unit, ...] = ()
    overrides: tuple[Override, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """The texts of /etc/systemd/system by path below it; only where Want.UNITS was asked for."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The units that systemd holds for failed."""
        return tuple(unit.name for unit in self.loaded if unit.active == "failed")

    def runs(self, name: str) -> bool:
        """Whether a unit is started, starting or stopping."""
        states = (unit.active for unit in self.loaded if unit.name == name)
        return any(state not in ("inactive", "failed") for state in states)


def units(answer: Answer, links: Links) -> Units:
    """Everything that the machine says of its units."""
    loaded = [
        Unit(word(each, "unit"), word(each, "load"), word(each, "active"), word(each, "sub"))
        for each in answer.read("units", lambda text: records(json_of(text)))
    ]
    return Units(
        loaded=tuple(sorted((unit for unit in loaded if unit.name), key=lambda unit: unit.name)),
        overrides=tuple(_overrides(links)),
        files=answer.files("unit_files"),
    )


def _overrides(links: Links) -> Iterator[Override]:
    """Without the links that packages and `systemctl enable` make: those lead to a unit."""
    for folder in _FOLDERS:
        for link in below(links, folder):
            override = Override(link.path, link.target)
            to_a_unit = link.target and not override.masks and folder == _BASE
            if not to_a_unit and not link.target.startswith("/nix/"):
                yield override
