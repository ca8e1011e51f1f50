"""The configuration file and the credentials, read once and strictly."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from emily_runtime.messages import Language, Refused

KNOWN = {"service": ("host", "language", "port"), "providers": ("anthropic", "openai")}
LANGUAGES: dict[str, Language] = {"en": "en", "ko": "ko"}
LEAST_TOKEN = 16
"""Characters; anything shorter is guessed, or is a file that was never filled."""


@dataclass(frozen=True)
class Config:
    """What the service needs to know before it starts."""

    host: str
    port: int
    language: Language
    providers: Mapping[str, str]
    """The credential that holds each provider's key."""

    @property
    def address(self) -> str:
        """Host and port as a URL has them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


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
    data: dict[str, Any]

    def config(self) -> Config:
        self._known("", self.data, tuple(KNOWN))
        service, providers = self._table("service"), self._table("providers")
        host = service.get("host", "127.0.0.1")
        port = service.get("port", 8470)
        language = LANGUAGES.get(str(service.get("language", "en")))
        if not _is_address(host):
            raise self._wrong("service.host", "an IP address", host)
        if type(port) is not int or not 0 <= port <= 65535:
            raise self._wrong("service.port", "a port", port)
        if language is None:
            raise self._wrong("service.language", "en or ko", service["language"])
        for name, credential in providers.items():
            if not isinstance(credential, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", credential):
                raise self._wrong(f"providers.{name}", "the name of a credential", credential)
        return Config(host, port, language, providers)

    def _table(self, name: str) -> dict[str, Any]:
        table = self.data.get(name, {})
        if not isinstance(table, dict):
            raise self._wrong(name, "a table", table)
        self._known(f"{name}.", table, KNOWN[name])
        return table

    def _known(self, prefix: str, table: Mapping[str, object], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                names = ", ".join(prefix + name for name in known)
                raise Refused("EMY-1003", file=self.file, key=f"{prefix}{key}", known=names)

    def _wrong(self, key: str, wanted: str, got: object) -> Refused:
        return Refused("EMY-1004", file=self.file, key=key, wanted=wanted, got=repr(got)[:60])


def _is_address(value: object) -> bool:
    try:
        ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def credential(name: str, environment: Mapping[str, str]) -> str:
    """A secret that systemd has put into $CREDENTIALS_DIRECTORY, without the line's end."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise Refused("EMY-1005", name=name, reason="$CREDENTIALS_DIRECTORY is not set")
    try:
        value = Path(folder, name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Refused("EMY-1005", name=name, reason=error.strerror) from None
    except UnicodeDecodeError:
        raise Refused("EMY-1005", name=name, reason="it is not text") from None
    if len(value) < LEAST_TOKEN:
        reason = f"{len(value)} characters; {LEAST_TOKEN} at least"
        raise Refused("EMY-1005", name=name, reason=reason)
    return value
