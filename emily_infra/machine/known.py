"""The host keys that the operator has accepted, as OpenSSH reads its files."""

import base64
import hashlib
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from emily_infra.machine.deadline import Deadline
from emily_infra.machine.faults import CommandFailed, UnknownHostKey, Unreachable, WrongHostKey
from emily_infra.machine.local import Local
from emily_infra.machine.settings import Settings

_FOUND = re.compile(r"^# Host .* found: line (\d+)")
_RSA = ("rsa-sha2-512", "rsa-sha2-256")


@dataclass(frozen=True)
class HostKey:
    """A public host key."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest())
        return "SHA256:" + digest.decode().rstrip("=")


@dataclass(frozen=True)
class Known:
    """What the files say about one host."""

    name: str
    file: Path | None
    keys: tuple[tuple[Path, HostKey], ...] = ()
    revoked: tuple[HostKey, ...] = ()
    authorities: tuple[HostKey, ...] = ()
    without_port: tuple[HostKey, ...] = ()

    def kinds(self) -> tuple[str, ...]:
        """The algorithms to ask for first, so that the server shows the key that is known."""
        keys = (*(key for _, key in self.keys), *self.without_port)
        return tuple(
            dict.fromkeys(
                kind for key in keys for kind in (_RSA if key.kind == "ssh-rsa" else (key.kind,))
            )
        )

    def judge(self, settings: Settings, shown: HostKey) -> None:
        """Nothing, where SHOWN may be trusted; else the refusal."""
        if shown in self.revoked:
            raise self._revoked(settings, shown)
        if any(key == shown for _, key in self.keys):
            return
        if self.keys:
            raise self._changed(settings, shown)
        # OpenSSH, too, takes a key that is known for the host's own port on any other.
        if shown not in self.without_port:
            raise self._unknown(settings, shown)

    def _unknown(self, settings: Settings, shown: HostKey) -> UnknownHostKey:
        why = "nobody here has accepted a key of it yet"
        if self.authorities:
            why = (
                "known_hosts names a certificate authority for it (@cert-authority), which is not "
                "read here: this connection needs the key itself"
            )
        return UnknownHostKey(
            f"{settings.target.name}: the key of {self.name} is unknown: {why}\n"
            f"  it shows {_named(shown)}",
            hint=_compare(shown)
            + f"; if it is the same, accept it here:\n  {self.accepting(shown)}",
            fingerprint=shown.fingerprint,
        )

    def _changed(self, settings: Settings, shown: HostKey) -> WrongHostKey:
        return WrongHostKey(
            f"{settings.target.name}: THE KEY OF {self.name} HAS CHANGED. Another machine may be "
            "answering in its place, or it was installed anew. Nothing was sent.\n"
            + "".join(f"  known: {_named(key)} ({file})\n" for file, key in self.keys)
            + f"  shown: {_named(shown)}",
            hint=_compare(shown)
            + "; only if it is the same:\n  "
            + "\n  ".join((*self.forgetting(), self.accepting(shown))),
            fingerprint=shown.fingerprint,
        )

    def _revoked(self, settings: Settings, shown: HostKey) -> WrongHostKey:
        return WrongHostKey(
            f"{settings.target.name}: {self.name} shows a key that is marked @revoked in "
            f"known_hosts: whoever stole it can answer in its place. Nothing was sent.\n"
            f"  shown: {_named(shown)}",
            hint="give the host a new key on its console, then accept that one: "
            "ssh-keygen -A, after the old files in /etc/ssh are gone",
            fingerprint=shown.fingerprint,
        )

    def forgetting(self) -> tuple[str, ...]:
        """The commands that make every key of the host unknown."""
        files = dict.fromkeys(file for file, _ in self.keys)
        return tuple(f"ssh-keygen -R {shlex.quote(self.name)} -f {_quoted(file)}" for file in files)

    def accepting(self, shown: HostKey) -> str:
        """The command that makes a key known."""
        line = f"{self.name} {shown.kind} {base64.b64encode(shown.blob).decode()}"
        file = _quoted(self.file) if self.file else "~/.ssh/known_hosts"
        return f"echo {shlex.quote(line)} >> {file}"


def known(settings: Settings, clock: Deadline) -> Known:
    """What the known_hosts files hold for the host; ssh-keygen knows hashes and wildcards."""
    name = settings.known_as
    entries = [
        (file, marker, key)
        for file in settings.known_hosts
        for marker, key in _entries(file, name, clock)
    ]
    keys = tuple((file, key) for file, marker, key in entries if not marker)
    return Known(
        name,
        next(iter(settings.known_hosts), None),
        keys,
        revoked=tuple(key for _, marker, key in entries if marker == "@revoked"),
        authorities=tuple(key for _, marker, key in entries if marker == "@cert-authority"),
        without_port=() if keys or settings.alias else _without_port(settings, clock),
    )


def _without_port(settings: Settings, clock: Deadline) -> tuple[HostKey, ...]:
    if settings.known_as == settings.host:
        return ()
    found = (_entries(file, settings.host, clock) for file in settings.known_hosts)
    return tuple(key for entries in found for marker, key in entries if not marker)


def _entries(file: Path, name: str, clock: Deadline) -> Iterator[tuple[str, HostKey]]:
    """Marker and key of each line of FILE about the host."""
    if not file.is_file():
        return
    try:
        answer = Local().run("ssh-keygen", "-F", name, "-f", str(file), deadline=clock.left())
    except CommandFailed as error:
        if error.status == 1:  # none
            return
        raise Unreachable(
            f"{file} cannot be read: {error.stderr.strip()}", hint=error.hint
        ) from error
    lines = answer.splitlines()
    for comment, line in pairwise(lines):
        if _FOUND.match(comment) and (entry := _entry(line.split())):
            yield entry


def _entry(words: Sequence[str]) -> tuple[str, HostKey] | None:
    marker = words[0] if words and words[0].startswith("@") else ""
    try:
        _, kind, blob, *_ = words[1:] if marker else words
        return marker, HostKey(kind, base64.b64decode(blob, validate=True))
    except ValueError:  # a damaged line is no key; ssh passes over it, too
        return None


def _compare(shown: HostKey) -> str:
    """Where a person can see the true fingerprint."""
    kind = (
        "rsa"
        if shown.kind == "ssh-rsa"
        else shown.kind.split("-")[0 if "ecdsa" in shown.kind else 1]
    )
    return (
        "compare with what the host's own console prints: "
        f"ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub"
    )


def _named(key: HostKey) -> str:
    return f"{key.fingerprint} ({key.kind})"


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
