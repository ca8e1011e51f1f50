"""What a host remembers of its backups: small JSON files, each written whole or not at all."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read(path: Path) -> dict[str, Any] | None:
    """What was written last, or nothing; a damaged file is put aside, to be looked at."""
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        data = None
    if isinstance(data, dict):
        return data
    with contextlib.suppress(OSError):
        path.rename(path.with_name(f"{path.name}.damaged"))
    return None


def write(path: Path, data: Mapping[str, object]) -> None:
    """Replace what stands there, safe from a kill and from a power cut."""
    text = json.dumps(data, indent=1, sort_keys=True) + "\n"
    replaced(path, text.encode("utf-8", "surrogateescape"), mode=0o600)


def replaced(path: Path, data: bytes, *, mode: int) -> None:
    """A file with new content, on the disk when this returns; never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # One name a process, not one a file: two writers never share a half.
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _leftovers(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _leftovers(path: Path) -> None:
    """What killed writers left; their processes are gone."""
    for old in path.parent.glob(f".{path.name}.*"):
        pid = old.name.rpartition(".")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            old.unlink(missing_ok=True)
