"""What a test lets go wrong in its world."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.backup.world.programs import faults as record

_SECOND = 10**9


@dataclass
class Faults:
    """Switched by its methods; what runs in the world sees it at its next call."""

    root: Path
    told: dict[str, Any] = field(
        default_factory=lambda: {"health": {}, "scans": {}, "full": [], "stuck": [], "calls": []}
    )

    def health(self, pool: str, word: str) -> None:
        """ONLINE, DEGRADED or SUSPENDED, where every command on a dataset fails at once."""
        self.told["health"][pool] = word
        self.write()

    def resilver(self, pool: str, scan: str = "resilver") -> None:
        """A resilver (or a scrub) runs."""
        self.told["scans"][pool] = scan
        self.write()

    def full(self, *pools: str) -> None:
        """These have no room any more; all others have."""
        self.told["full"] = list(pools)
        self.write()

    def stuck(self, *pools: str) -> None:
        """The disks of these answer no more: no group is committed, what writes hangs."""
        self.told["stuck"] = list(pools)
        self.write()

    def slow(self, program: str, *words: str, seconds: float, number: int = 0) -> None:
        """Calls with these words wait first; with a number, only that one from now on."""
        self._at(program, words, number, deed="sleep", seconds=seconds)

    def fail(self, program: str, *words: str, text: str, status: int = 1, number: int = 1) -> None:
        """A call with these words fails with TEXT."""
        self._at(program, words, number, deed="fail", text=text, status=status)

    def vanish(self, dataset: str, program: str, *words: str, number: int = 1) -> None:
        """A dataset is destroyed by others just before a call with these words."""
        self._at(program, words, number, deed="vanish", dataset=dataset)

    def kill(self, program: str, *words: str, number: int = 1, after: bool = False) -> None:
        """The command under test is killed (-9) just before this call does anything, or after."""
        self._at(program, words, number, deed="kill", after=after)

    def cut(self, program: str, *words: str, number: int = 1, after: bool = False) -> None:
        """As a power cut: everything that runs in the world is killed."""
        self._at(program, words, number, deed="cut", after=after)

    def break_streams(self, after: int) -> None:
        """What is sent from now on ends after so many bytes."""
        self.told["breaks"] = after
        self.write()

    def trickle(self, seconds: float) -> None:
        """What is sent waits after every 64 KiB."""
        self.told["trickle"] = seconds
        self.write()

    def clear(self) -> None:
        """All is well again."""
        self.told = {"health": {}, "scans": {}, "full": [], "stuck": [], "calls": []}
        self.write()

    def _at(self, program: str, words: tuple[str, ...], number: int, **deed: object) -> None:
        since = len(record.calls(str(self.root)))
        fault = {"program": program, "words": list(words), "number": number, "since": since,
                 "after": False, **deed}  # fmt: skip
        self.told["calls"].append(fault)
        self.write()

    def write(self) -> None:
        """For the programs, and the kernel's own words for whoever asks no program."""
        new = self.root / "faults.json.new"
        new.write_text(json.dumps(self.told))
        new.replace(self.root / "faults.json")
        for pool in _pools(self.root):
            folder = self.root / "kstat" / pool
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "state").write_text(self.told["health"].get(pool, "ONLINE") + "\n")
            (folder / "txgs").write_text(_txgs(600 if pool in self.told["stuck"] else 4))
        (self.root / "kstat" / "fm").write_text(f"1 1 0x01 4 1088 1000 {_uptime()}\n")


def _txgs(age: int) -> str:
    """The kernel's list of transaction groups; the last committed one is AGE seconds old."""
    now = _uptime()
    head = f"15 1 0x01 100 11200 1000 {now}"
    names = "txg birth state ndirty nread nwritten reads writes otime qtime wtime stime"
    born = now - age * _SECOND
    done = [f"{7 - at} {born - at * 5 * _SECOND} C 0 0 8192 0 4 0 0 0 0" for at in (2, 1, 0)]
    return "\n".join([head, names, *done, f"8 {born} S 0 0 0 0 0 0 0 0 0", ""])


def _uptime() -> int:
    return time.monotonic_ns()


def _pools(root: Path) -> list[str]:
    file = root / "state.json"
    return list(json.loads(file.read_text())["pools"]) if file.exists() else []
