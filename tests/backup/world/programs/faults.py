"""What goes wrong in the world, and the record of what was called and what must never be.

The file `faults.json` is written by the tests:

    health    pool -> DEGRADED, SUSPENDED, ...     scans     pool -> resilver, scrub
    full      pools without room                   stuck     pools whose disks answer no more
    breaks    bytes after which a stream ends     trickle    seconds between its pieces
    calls     [ { program, words, number, deed, ... } ]: at the NUMBERth call of PROGRAM
              whose arguments hold all WORDS (every call where it is 0), the DEED:
              sleep (seconds), fail (status, text), vanish (dataset), kill, cut (all that runs),
              before the call does anything, or, where it says so, after it
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence

from .answers import Refused
from .state import changing

TYPE_CHECKING = False  # typing itself is slow to import
if TYPE_CHECKING:
    from typing import Any

_FOR_EVER = 900
"""Seconds; tests that were killed leave nothing behind that runs longer."""


class Faults:
    """The faults of the world in FOLDER."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.raw: dict[str, Any] = {}
        self.later: list[dict[str, Any]] = []
        path = os.path.join(folder, "faults.json")
        with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
            self.raw = json.load(file)

    def health(self, pool: str) -> str:
        """The word for its state."""
        return str(self.raw.get("health", {}).get(pool, "ONLINE"))

    def scan(self, pool: str) -> str:
        """What runs over it: resilver, scrub or nothing."""
        return str(self.raw.get("scans", {}).get(pool, ""))

    def full(self, pool: str) -> bool:
        """Whether nothing more can be written."""
        return pool in self.raw.get("full", [])

    def breaks_after(self) -> int | None:
        """After how many bytes a stream breaks off."""
        found: int | None = self.raw.get("breaks")
        return found

    def trickle(self) -> float:
        """Seconds between two pieces of a stream."""
        return float(self.raw.get("trickle", 0))

    def hang_if_stuck(self, words: Sequence[str]) -> None:
        """A program that waits for disks which never answer; only a kill ends this one."""
        pools = {word.partition("@")[0].split("/")[0] for word in words}
        if pools & set(self.raw.get("stuck", [])):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(_FOR_EVER)

    def meet(self, program: str, argv: Sequence[str]) -> None:
        """Note the call, and do what was asked to go wrong at this one."""
        line = json.dumps({"program": program, "argv": list(argv), "pid": os.getppid()})
        _append(self.folder, "calls", line)
        wanted = [fault for fault in self.raw.get("calls", []) if fault["program"] == program]
        due = [fault for fault in wanted if self._is_due(fault, argv)]
        self.later = [fault for fault in due if fault["after"]]
        for fault in due:
            if not fault["after"]:
                self._do(fault)

    def leave(self) -> None:
        """Do what was asked to go wrong after the call that was met."""
        for fault in self.later:
            self._do(fault)

    def _is_due(self, fault: dict[str, Any], argv: Sequence[str]) -> bool:
        words, number = fault["words"], fault["number"]
        if not _holds(words, argv):
            return False
        return number in (0, self._count(fault["program"], words, fault["since"]))

    def _count(self, program: str, words: Sequence[str], since: int) -> int:
        found = [call for call in calls(self.folder)[since:] if call["program"] == program]
        return sum(_holds(words, call["argv"]) for call in found)

    def _do(self, fault: dict[str, Any]) -> None:
        deed = fault["deed"]
        if deed == "sleep":
            time.sleep(fault["seconds"])
        elif deed == "fail":
            raise Refused(fault["text"], fault["status"])
        elif deed == "vanish":
            with changing(self.folder) as state:
                for name in [fault["dataset"], *state.datasets]:
                    if name == fault["dataset"] or name.startswith(fault["dataset"] + "/"):
                        state.datasets.pop(name, None)
        else:
            self._kill(everything=deed == "cut")

    def _kill(self, *, everything: bool) -> None:
        """End the product as kill -9 or a power cut does; never the tests themselves."""
        ours = inhabitants(self.folder)
        above = _ancestors()
        victims = ours if everything else [pid for pid in above if pid in ours][-1:]
        for pid in victims:
            if pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        sys.exit(137)


def violation(folder: str, program: str, argv: Sequence[str], why: str) -> None:
    """Keep for the tests that something was asked which the product must never ask."""
    _append(folder, "violations", json.dumps(f"{' '.join([program, *argv])}: {why}"))


def calls(folder: str) -> list[dict[str, Any]]:
    """Every call so far, in order."""
    path = os.path.join(folder, "calls")
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]
    return []


def _holds(words: Sequence[str], argv: Sequence[str]) -> bool:
    return all(any(word in argument for argument in argv) for word in words)


def _append(folder: str, name: str, line: str) -> None:
    file = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def _ancestors() -> list[int]:
    """From the caller up."""
    found = []
    pid = os.getppid()
    while pid > 1:
        found.append(pid)
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            pid = int(file.read().rpartition(")")[2].split()[1])
    return found


def inhabitants(folder: str) -> list[int]:
    """Every process that was started inside the world."""
    mark = b"EMILY_WORLD=" + os.fsencode(folder)
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit():
                with open(f"/proc/{name}/environ", "rb") as file:
                    if mark in file.read().split(b"\0"):
                        found.append(int(name))
    return found
