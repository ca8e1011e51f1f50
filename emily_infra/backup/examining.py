"""Whether the log of drills is as it was written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from emily_infra.backup import state
from emily_infra.backup.evidence import START, Line, folder, lines, parsed
from emily_infra.backup.here import Here
from emily_infra.backup.signing import KEY, Judge, judging


@dataclass
class Examined:
    """The log, and what is wrong with it."""

    entries: list[Line] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """Of what is no fault, such as a line that a power cut has cut."""


def examine(here: Here, keys: Iterable[Path] = (KEY,)) -> Examined:
    """Every line against the one before it, its signature, and the end that was written down."""
    found = Examined()
    previous, number = START, 0
    digests = {0: START}
    with judging(here, keys) as judge:
        for at, raw in enumerate(lines(here), 1):
            line = parsed(raw)
            if line is None:
                _unreadable(found, at, cut=not raw.endswith(b"\n"))
                previous = Line(raw.rstrip(b"\n"), {}).digest
                continue
            found.entries.append(line)
            found.faults += _judged(judge, line, at)
            if line.data.get("previous") != previous or line.data.get("number") != number + 1:
                found.faults.append(_torn(line, at, number))
            number = line.data["number"] if isinstance(line.data.get("number"), int) else number + 1
            previous = digests[number] = line.digest
    found.faults += _end(here, digests, found)
    return found


def _unreadable(found: Examined, at: int, *, cut: bool) -> None:
    if cut:
        found.remarks.append(f"line {at} was cut while it was written; the next drill mends that")
    else:
        found.faults.append(f"line {at} cannot be read: it was changed after it was written")


def _judged(judge: Judge, line: Line, at: int) -> list[str]:
    signature = line.data.get("signature")
    if not signature or not isinstance(signature, str):
        return [f"line {at} is not signed"]
    if not judge.accepts(line.signed, signature):
        return [f"line {at} was changed after it was signed, or signed by another key"]
    return []


def _torn(line: Line, at: int, number: int) -> str:
    has = line.data.get("number")
    if has == number + 1:
        return f"line {at} does not follow the line before it: one of the two was changed"
    return f"line {at} is drill {has} and should be {number + 1}: lines were removed or moved"


def _end(here: Here, digests: dict[int, str], found: Examined) -> list[str]:
    end = state.read(folder(here) / "end.json")
    if end is None:
        if len(digests) > 1:
            found.remarks.append(
                "nothing tells how many drills there were: lines at the end may be missing"
            )
        return []
    number = end.get("number")
    if digests.get(number if isinstance(number, int) else -1) != end.get("hash"):
        return [f"the last drill was number {number}, which is not here as it was written"]
    return []
