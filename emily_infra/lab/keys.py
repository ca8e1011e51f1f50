"""Keys that live as long as their lab."""

import base64
from dataclasses import dataclass
from pathlib import Path

from emily_infra.machine import Local


@dataclass(frozen=True)
class Pair:
    """A WireGuard key pair."""

    private: str
    public: str


def tunnel_pair(private: str = "") -> Pair:
    """A new key pair, or the one that a private key belongs to."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    secret = (
        X25519PrivateKey.from_private_bytes(base64.b64decode(private))
        if private
        else X25519PrivateKey.generate()
    )
    public = secret.public_key().public_bytes_raw()
    return Pair(_text(secret.private_bytes_raw()), _text(public))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def ssh_pair(path: Path, comment: str) -> None:
    """A new SSH key pair at PATH and PATH.pub, unless it is there."""
    if not path.exists():
        command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path))
        Local().run(*command)


def public(path: Path) -> str:
    """The line of the public key that belongs to PATH."""
    return path.with_name(f"{path.name}.pub").read_text().strip()
