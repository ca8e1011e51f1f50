"""Where a provider is, and the key to it."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from emily_runtime.messages import Refused
from emily_runtime.providers.prices import Price

SHOWN = 200
"""Characters of a provider's own words that are passed on."""


class Key:
    """A secret that no text, log or error shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """For the header of a call."""
        return self._text

    def __repr__(self) -> str:
        return "Key(...)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not written down")


@dataclass(frozen=True)
class Site:
    """A provider's address, model and price; Refused where it could not be called."""

    name: str
    address: str
    model: str
    price: Price
    seconds: float = 30.0
    """For one call."""
    key: Key = field(default_factory=lambda: Key(""))

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[!-~]*", self.key.reveal()):
            raise self._wrong("its key holds a character that no key has, such as a line's end")
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise self._wrong(f"{self.address} is no http or https address")
        if parts.username or parts.password:
            raise self._wrong("its address holds a password; keys belong into a credential")
        if parts.scheme == "http" and self.key.reveal() and not is_near(parts.hostname):
            raise self._wrong("its key would cross the network unencrypted; use https")

    def clean(self, text: str) -> str:
        """A provider's words, in one short line, without the key."""
        key = self.key.reveal()
        hidden = text.replace(key, "...") if key else text
        return "".join(letter if letter.isprintable() else " " for letter in hidden)[:SHOWN]

    def _wrong(self, reason: str) -> Refused:
        return Refused("EMY-5013", name=self.name, reason=reason)


def is_near(host: str) -> bool:
    """Whether the way there is our own: this machine, or a private network."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"
