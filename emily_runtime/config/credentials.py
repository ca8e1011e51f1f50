"""Secrets, as systemd hands them over."""

from collections.abc import Mapping
from pathlib import Path

from emily_runtime.messages import Refused

LEAST_TOKEN = 16
"""Characters; anything shorter is guessed, or is a file that was never filled."""


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
