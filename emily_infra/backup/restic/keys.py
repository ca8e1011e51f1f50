"""Passwords and keys on their way to restic: by files and the environment, never by arguments."""

import os
import re
from pathlib import Path

from emily_infra.backup.here import Here
from emily_infra.backup.restic.faults import BadEnvironment, WrongPassword
from emily_infra.backup.settings import Secret

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_ALLOWED = ("RESTIC_REST_USERNAME", "RESTIC_REST_PASSWORD")
_LARGEST = 1 << 20


def password_file(here: Here, secret: Secret) -> Path:
    """The file with a password, which must hold one."""
    path = here.secret(secret)
    if not _text(path, WrongPassword).strip():
        raise WrongPassword(
            f"{path} is empty: a repository without a password is open to whoever finds it",
            hint=f"put the password in: install -m 0600 /dev/stdin {path}",
        )
    return path


def environment(here: Here, secret: Secret | None) -> dict[str, str]:
    """The keys of a storage provider, from lines of KEY=value."""
    if secret is None:
        return {}
    path = here.secret(secret)
    found: dict[str, str] = {}
    for number, line in enumerate(_text(path, BadEnvironment).splitlines(), 1):
        if not (stripped := line.strip()) or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if not match:
            raise _bad(f"{path}:{number} is no line of KEY=value")
        name, value = match.groups()
        if name.startswith("RESTIC_") and name not in _ALLOWED:
            raise _bad(f"{path}:{number}: {name} is set by emily-infra itself")
        found[name] = _unquoted(value.strip())
    return found


def _text(path: Path, fault: type[BadEnvironment] | type[WrongPassword]) -> str:
    try:
        with path.open("rb") as file:
            return os.fsdecode(file.read(_LARGEST))
    except OSError as error:
        raise fault(
            f"{path}: {error.strerror}",
            hint="it is the file of a secret in host.yaml; run as root, or put it there: "
            f"install -m 0600 /dev/stdin {path}",
        ) from error


def _bad(message: str) -> BadEnvironment:
    return BadEnvironment(
        message, hint="one a line, as in AWS_ACCESS_KEY_ID=... ; # begins a comment"
    )


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
