"""What a sender may ask of the far side: four requests of one line each, and what it answers.

There is none that destroys, renames, mounts or reads: what is not here cannot be asked.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from emily_infra.backup.names import OURS
from emily_infra.backup.replication.faults import NotTaken
from emily_infra.backup.settings import Part, Policy

LONGEST = 4096
_PART = r"[A-Za-z0-9][A-Za-z0-9_.:-]*"
_DATASET = re.compile(rf"(?!.{{193}})[A-Za-z][A-Za-z0-9_.-]*(?:/{_PART}){{0,9}}", re.ASCII)
_GUID = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)
_TOKEN = re.compile(r"(?!.{3600})[0-9]{1,4}(?:-[0-9a-f]+){1,3}", re.ASCII)
_SEALED = {"plain": False, "sealed": True}


@dataclass(frozen=True)
class State:
    """How a dataset is over there."""

    dataset: str

    @property
    def line(self) -> str:
        """As it is asked."""
        return f"state {self.dataset}"


@dataclass(frozen=True)
class Receive:
    """Take in a snapshot; its stream comes on standard input."""

    dataset: str
    name: str
    guid: int
    base: int
    """The guid of the snapshot that it adds to, or 0 for a whole dataset."""
    sealed: bool
    """It is encrypted here, and must be there."""

    @property
    def line(self) -> str:
        """As it is asked."""
        sealed = "sealed" if self.sealed else "plain"
        return f"receive {self.dataset} {self.name} {self.guid} {self.base} {sealed}"


@dataclass(frozen=True)
class Done:
    """Hold and mark a snapshot that came in whole, and let go of the one before."""

    dataset: str
    name: str
    guid: int

    @property
    def line(self) -> str:
        """As it is asked."""
        return f"done {self.dataset} {self.name} {self.guid}"


@dataclass(frozen=True)
class Abort:
    """Give up what came in by half; nothing else goes with it."""

    dataset: str
    token: str
    """Of just that half, as it was last answered."""

    @property
    def line(self) -> str:
        """As it is asked."""
        return f"abort {self.dataset} {self.token}"


Request = State | Receive | Done | Abort


class Copy(Part):
    """A snapshot over there."""

    name: str
    guid: int
    creation: int
    """Seconds since 1970, as its sender took it."""


class There(Part):
    """The answer to `state`."""

    version: Literal[1] = 1
    into: str
    """Where everything of this sender goes."""
    exists: bool
    snapshots: tuple[Copy, ...]
    """From the oldest on."""
    settled: bool
    """The newest is held and marked."""
    token: str | None
    """How to go on with what came in by half."""
    sealed: bool
    """It is encrypted, or would be."""
    key_loaded: bool
    available: int
    keep: Policy

    @property
    def newest(self) -> Copy | None:
        """The one that the next adds to."""
        return self.snapshots[-1] if self.snapshots else None


class Took(Part):
    """The answer to the other requests: the newest snapshot that is there now."""

    newest: Copy | None


def parse(line: str) -> Request:
    """The request that a line is; NotTaken for every other line."""
    if len(line) > LONGEST:
        raise _unknown(f"a line of {len(line)} characters")
    words = line.split(" ")
    if words[0] not in _GRAMMAR:
        raise _unknown("no such request")
    shapes, make = _GRAMMAR[words[0]]
    given = words[1:]
    if len(given) != len(shapes):
        raise _unknown(f"{words[0]} takes {len(shapes)} words")
    for shape, word in zip(shapes, given, strict=True):
        if not shape.fullmatch(word):
            raise _unknown(f"a word of {words[0]} is not of its shape")
    return make(given)


def _unknown(why: str) -> NotTaken:
    return NotTaken(
        f"this is nothing that a sender may ask: {why}",
        hint="the key of a sender only takes snapshots in; log in with a key of your own",
    )


_GRAMMAR: dict[str, tuple[tuple[re.Pattern[str], ...], Callable[[list[str]], Request]]] = {
    "state": ((_DATASET,), lambda given: State(given[0])),
    "receive": (
        (_DATASET, OURS, _GUID, re.compile(rf"0|{_GUID.pattern}"), re.compile("plain|sealed")),
        lambda given: Receive(given[0], given[1], int(given[2]), int(given[3]), _SEALED[given[4]]),
    ),
    "done": ((_DATASET, OURS, _GUID), lambda given: Done(given[0], given[1], int(given[2]))),
    "abort": ((_DATASET, _TOKEN), lambda given: Abort(given[0], given[1])),
}
