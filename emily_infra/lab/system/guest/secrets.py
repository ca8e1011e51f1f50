"""Secrets of the lab: made up on the machine, because the real ones never leave the real host.

A file in /run/lab/secrets, put there from outside, goes before a made-up one. On a real host this
is what sops-nix or agenix does.
"""

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from .place import Place

_MADE_UP: Mapping[str, Callable[[], str]] = {
    "wireguard": lambda: base64.b64encode(os.urandom(32)).decode(),
    "password": lambda: base64.b32encode(os.urandom(15)).decode(),
    "hash": lambda: "!",
    "environment": lambda: "LAB=1",
    "url": lambda: "http://127.0.0.1:9/",
}


def make(described: Mapping[str, str], place: Place) -> None:
    """Every secret at its path; one that was made up once stays the same over reboots."""
    kept, given = place.at("/var/lib/lab/secrets"), place.at("/run/lab/secrets")
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, kind in sorted(described.items()):
        if place.at(path).exists():
            continue
        name = path.strip("/").replace("/", "-")
        if not (kept / name).exists():
            _put(kept / name, f"{_MADE_UP[kind]()}\n".encode())
        source = given / name if (given / name).exists() else kept / name
        place.at(path).parent.mkdir(mode=0o751, parents=True, exist_ok=True)
        _put(place.at(path), source.read_bytes())


def _put(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
