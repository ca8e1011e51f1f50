"""The private keys that may be shown to a server, in the order of OpenSSH."""

import base64
import binascii
import socket
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from paramiko import Message, PKey, SSHException
from paramiko.agent import AgentSSH
from paramiko.pkey import UnknownKeyType

from emily_infra.machine.deadline import Deadline
from emily_infra.machine.settings import Settings

_MAGIC = b"openssh-key-v1\0"
_DEFAULT = "~/.ssh/id_"
_UNREADABLE = (SSHException, OSError, UnknownKeyType, UnsupportedAlgorithm)


@dataclass(frozen=True)
class Offer:
    """A key that can sign, and what to call it."""

    key: PKey
    label: str


@dataclass(frozen=True)
class Keys:
    """The keys to offer, and why others are left out."""

    offers: tuple[Offer, ...]
    skipped: tuple[str, ...] = ()


class Agent(AgentSSH):
    """A connection to the ssh-agent behind one socket, with a deadline."""

    def __init__(self, path: Path, clock: Deadline) -> None:
        super().__init__()
        conversation = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            conversation.settimeout(max(0.01, clock.left()))
            conversation.connect(str(path))
            self._connect(conversation)  # type: ignore[attr-defined]  # as paramiko's own agents do
        except BaseException:
            conversation.close()
            raise
        self.close = conversation.close


@dataclass(frozen=True)
class _File:
    """An identity file: the public half always, the private one if it can be read."""

    path: Path
    public: bytes | None
    private: PKey | None
    trouble: str = ""


def keys(settings: Settings, agent: Agent | None) -> Keys:
    """What to offer: keys named in the configuration first, those in the agent before files."""
    files = [_read(path) for path in settings.identities if _is_named(path)]
    held = {key.blob: key for key in agent.get_keys()} if agent else {}
    named = dict.fromkeys(file.public for file in files if file.public in held)
    rest = [] if settings.only_identities else [blob for blob in held if blob not in named]
    own = [file for file in files if file.public is None or file.public not in held]
    return Keys(
        (
            *(Offer(held[blob], f"{held[blob].comment} in the agent") for blob in (*named, *rest)),
            *(Offer(key, str(file.path)) for file in own for key in _variants(file)),
        ),
        tuple(f"{file.path} {file.trouble}" for file in own if file.trouble),
    )


def agent(settings: Settings, clock: Deadline) -> tuple[Agent | None, str]:
    """The agent, or what is wrong with it."""
    if settings.agent is None:
        return None, ""
    try:
        return Agent(settings.agent, clock), ""
    except (OSError, SSHException) as error:
        return None, f"the agent at {settings.agent} does not answer: {error}"


def _is_named(path: Path) -> bool:
    """ssh always lists its default files; that one of them is not there is no news."""
    return path.exists() or not str(path).startswith(str(Path(_DEFAULT).expanduser()))


def _read(path: Path) -> _File:
    try:
        data = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        return _File(path, _beside(path), None, f"cannot be read: {error.strerror}")
    if blob := _public_line(data):
        return _File(path, blob, None, "is a public key, and no agent holds its private half")
    public = _beside(path) or _inside(data)
    if stat.S_IMODE(mode) & 0o077:
        return _File(path, public, None, f"is open to others, ssh refuses it: chmod 600 {path}")
    if _is_encrypted(data):
        return _File(
            path, public, None, f"is encrypted and the agent does not hold it: ssh-add {path}"
        )
    try:
        private = PKey.from_path(path)
    except (ValueError, TypeError, *_UNREADABLE) as error:
        return _File(path, public, None, f"is no key that can be read: {error}".splitlines()[0])
    return _File(path, public or private.asbytes(), private)


def _variants(file: _File) -> Iterator[PKey]:
    """The key with its certificate, if it has one, and without: an expired one must not hurt."""
    if file.private is None:
        return
    yield file.private
    if file.private.public_blob is not None:
        bare = PKey.from_path(file.path)
        bare.public_blob = None
        yield bare


def _beside(path: Path) -> bytes | None:
    try:
        return _public_line(path.with_name(path.name + ".pub").read_bytes())
    except OSError:
        return None


def _public_line(data: bytes) -> bytes | None:
    words = data.split(None, 2)
    if len(words) < 2 or not words[0].startswith((b"ssh-", b"ecdsa-", b"sk-")):
        return None
    try:
        return base64.b64decode(words[1], validate=True)
    except binascii.Error:
        return None


def _opened(data: bytes) -> Message | None:
    """The inside of OpenSSH's own format, which shows the public half even of an encrypted key."""
    lines = data.strip().splitlines()
    if not lines or b"BEGIN OPENSSH PRIVATE KEY" not in lines[0]:
        return None
    try:
        inside = base64.b64decode(b"".join(lines[1:-1]))
    except binascii.Error:
        return None
    return Message(inside[len(_MAGIC) :]) if inside.startswith(_MAGIC) else None


def _inside(data: bytes) -> bytes | None:
    opened = _opened(data)
    if opened is None:
        return None
    for _ in range(3):  # cipher, key derivation, its options
        opened.get_binary()
    return opened.get_binary() if opened.get_int() == 1 else None


def _is_encrypted(data: bytes) -> bool:
    opened = _opened(data)
    return opened.get_binary() != b"none" if opened else b"ENCRYPTED" in data


def described(offers: Iterable[Offer]) -> str:
    """The keys, one a line."""
    return "".join(f"\n  offered: {offer.key.fingerprint} {offer.label}" for offer in offers)
