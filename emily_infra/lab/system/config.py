"""A merged configuration, read option by option with the type that the reader expects."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from emily_infra.errors import EmilyError

Values = dict[str, object]
"""What a module sets, as nested sets; also what our own modules answer with."""


class WrongValue(EmilyError):
    """An option holds something of a type that NixOS would have refused."""

    code = "LAB042"


@dataclass(frozen=True)
class Config:
    """Options by path; one that nobody sets has the default that the reader names."""

    values: Mapping[str, object]
    place: tuple[str, ...] = ()

    def at(self, *path: str) -> object:
        """The value of an option as it stands, or None."""
        value: object = self.values
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                return None
            value = value[key]
        return value

    def below(self, *path: str) -> "Config":
        """The options under a path."""
        value = self.at(*path)
        if value is not None and not isinstance(value, Mapping):
            raise self._wrong(path, value, "a set")
        return Config(value or {}, (*self.place, *path))

    def named(self, *path: str) -> Iterator[tuple[str, "Config"]]:
        """Every entry of a set of sets, by name."""
        for name in sorted(self.below(*path).values):
            yield name, self.below(*path, name)

    def flag(self, *path: str, default: bool = False) -> bool:
        """A yes or a no."""
        value = self.at(*path)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(path, value, "true or false")
        return value

    def text(self, *path: str, default: str = "") -> str:
        """A text; numbers are written out."""
        value = self.at(*path)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._wrong(path, value, "a text")
        return str(value)

    def texts(self, *path: str, default: Sequence[str] = ()) -> list[str]:
        """A list of texts; one text alone stands for a list of it."""
        value = self.at(*path)
        if value is None:
            return list(default)
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list):
            raise self._wrong(path, value, "a list")
        return [str(item) for item in value]

    def _wrong(self, path: tuple[str, ...], value: object, wanted: str) -> WrongValue:
        option = ".".join((*self.place, *path))
        return WrongValue(
            f"{option} is {value!r}, where {wanted} belongs",
            hint="look into hardware.nix; what emily-infra renders is held against NixOS's types",
        )
