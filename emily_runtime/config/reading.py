"""From a TOML file to the configuration; what is unknown or wrong is refused by name."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emily_runtime.config.config import NAMED, TABLES, Config
from emily_runtime.config.kinds import NAME, Unfit, kinds
from emily_runtime.messages import Refused

SHOWN = 60
"""Characters of a wrong value."""


def read(file: Path) -> Config:
    """The configuration in a file; Refused where a setting is unknown or wrong."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused("EMY-1001", file=file, reason=error.strerror) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused("EMY-1002", file=file, reason=error) from None
    return _Checked(file, data).config()


@dataclass(frozen=True)
class _Checked:
    file: Path
    data: Mapping[str, Any]

    def config(self) -> Config:
        self._known("", self.data, (*TABLES, *NAMED))
        found: dict[str, Any] = {
            name: self._section(name, section, self.data[name])
            for name, section in TABLES.items()
            if name in self.data
        }
        if "providers" in found:
            found["providers"] = dict(self.data["providers"])
        for name, section in NAMED.items():
            tables = self._table(name, self.data.get(name, {}))
            found[name] = {key: self._entry(name, key, section, tables[key]) for key in tables}
        return Config(file=self.file, **found)

    def _entry(self, name: str, key: str, section: type, table: object) -> Any:
        if not NAME.fullmatch(key.replace("_", "-")):
            raise self._wrong(f"{name}.{key}", "a name in lower case", key)
        return self._section(f"{name}.{key}", section, table)

    def _section(self, name: str, section: type, table: object) -> Any:
        known = kinds(section)
        given = self._table(name, table)
        self._known(f"{name}.", given, known)
        values = {}
        for key, value in given.items():
            try:
                values[key] = known[key].read(value)
            except Unfit:
                raise self._wrong(f"{name}.{key}", known[key].wanted, value) from None
        return section(**values)

    def _table(self, name: str, table: object) -> Mapping[str, Any]:
        if not isinstance(table, dict):
            raise self._wrong(name, "a table", table)
        return table

    def _known(self, prefix: str, table: Mapping[str, object], known: Iterable[str]) -> None:
        names = sorted(known)
        for key in table:
            if key not in names:
                nearest = difflib.get_close_matches(key, names, 1, 0.0)[0]
                raise Refused(
                    "EMY-1003",
                    file=self.file,
                    key=f"{prefix}{key}",
                    nearest=prefix + nearest,
                    known=", ".join(prefix + name for name in names),
                )

    def _wrong(self, key: str, wanted: str, got: object) -> Refused:
        return Refused("EMY-1004", file=self.file, key=key, wanted=wanted, got=repr(got)[:SHOWN])
