"""What drills found, line by line: each line knows the one before it, and the host signed it."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from emily_infra.backup import state
from emily_infra.backup.here import Here
from emily_infra.backup.signing import KEY, sign

START = "0" * 64
"""What the first line has before it."""
SHOWN = 20
"""Differences that a line names."""


class Verdict(StrEnum):
    """What a drill says of a copy."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_RUN = "could not run"


@dataclass(frozen=True)
class Finding:
    """What came of restoring (a share of) one dataset from one repository."""

    by: str
    """The operator, or the unit."""
    repository: str
    dataset: str
    verdict: Verdict
    copy: str = ""
    """The id of the copy in the repository."""
    snapshot: str = ""
    """The ZFS snapshot that the copy was made from, and was held against."""
    whole: bool = False
    seed: int = 0
    files: int = 0
    bytes: int = 0
    seconds: int = 0
    hash: str = ""
    """Over paths and the hashes of their content, in the order of paths."""
    differing: int = 0
    differences: tuple[str, ...] = ()
    checks: dict[str, str] = field(default_factory=dict)
    """What a throw-away database answered."""
    why: str = ""


@dataclass(frozen=True)
class Line:
    """A line of the log as it stands there."""

    raw: bytes
    data: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """What the next line has before it."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def signed(self) -> bytes:
        """What the signature is over; as `jq -jcS 'del(.signature)'` prints it."""
        return body({key: value for key, value in self.data.items() if key != "signature"})


def folder(here: Here) -> Path:
    """Where the log is kept."""
    return here.settings.paths.state / "evidence"


def body(data: Mapping[str, Any]) -> bytes:
    """One spelling for one meaning."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )


def append(here: Here, finding: Finding, key: Path = KEY) -> Line:
    """One more line, on the disk when this returns."""
    place = folder(here)
    place.mkdir(parents=True, exist_ok=True, mode=0o755)
    with (place / "log.jsonl").open("a+b") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        _mend(here, log)
        last = _last(log)
        data = {
            **asdict(finding),
            "host": here.settings.host,
            "time": here.now().isoformat(timespec="seconds"),
            "number": last.data.get("number", 0) + 1 if last else 1,
            "previous": last.digest if last else START,
        }
        data["signature"] = sign(here, body(data), key)
        line = Line(body(data), data)
        log.write(line.raw + b"\n")
        log.flush()
        os.fsync(log.fileno())
        _sync(place)
        # Without it nobody could tell that the end of the log was cut away.
        state.write(place / "end.json", {"number": data["number"], "hash": line.digest})
    return line


def lines(here: Here) -> Iterator[bytes]:
    """The log as it stands, a line at a time; the last one may be cut."""
    try:
        with (folder(here) / "log.jsonl").open("rb") as log:
            yield from log
    except FileNotFoundError:
        return


def parsed(raw: bytes) -> Line | None:
    """A line of ours, or nothing."""
    try:
        data = json.loads(raw)
    except ValueError:
        return None
    return Line(raw.rstrip(b"\n"), data) if isinstance(data, dict) else None


def _last(log: BinaryIO) -> Line | None:
    log.seek(0)
    last = b""
    for raw in log:
        last = raw
    return parsed(last) or (Line(last.rstrip(b"\n"), {}) if last else None)


def _mend(here: Here, log: BinaryIO) -> None:
    """What a power cut left of a line is put aside; a whole one only lacks its end."""
    log.seek(0)
    whole, rest = 0, b""
    for raw in log:
        if raw.endswith(b"\n"):
            whole += len(raw)
        else:
            rest = raw
    if not rest:
        return
    if parsed(rest):
        log.write(b"\n")
        return
    aside = folder(here) / "log.jsonl.cut"
    with aside.open("ab") as kept:
        kept.write(rest + b"\n")
    log.truncate(whole)
    here.tell(f"the last line of {log.name} was cut, by a power cut as it seems; it is in {aside}")


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
