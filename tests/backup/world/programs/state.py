"""What the world remembers between calls: one file, changed under a lock and in one piece."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator

TYPE_CHECKING = False  # typing itself is slow to import
if TYPE_CHECKING:
    from typing import Any

_GUID_BITS = 63


class Record:
    """Something that is stored field by field."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class Snapshot(Record):
    guid: int
    createtxg: int
    creation: int
    folder: str
    """Where the contents are; nothing for one that was made up and is empty."""
    props: dict[str, str]
    holds: dict[str, int]
    used: int
    referenced: int


class Bookmark(Record):
    guid: int
    createtxg: int
    creation: int
    folder: str


class Dataset(Record):
    guid: int
    createtxg: int
    creation: int
    folder: str
    props: dict[str, str]
    received: dict[str, str]
    mounted: int
    origin: str
    partial: dict[str, Any]
    """What a broken receive has left, to go on with; mostly nothing."""
    snapshots: dict[str, Snapshot]
    bookmarks: dict[str, Bookmark]


class Pool(Record):
    guid: int
    size: int
    available: int
    """What is free whatever is stored; below zero it is counted."""


class State:
    """The pools and the datasets of a world in FOLDER."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.version = "2.4.4"
        self.txg = 1000
        self.pools: dict[str, Pool] = {}
        self.datasets: dict[str, Dataset] = {}

    def load(self) -> State:
        """What is stored; a new world is empty."""
        with contextlib.suppress(FileNotFoundError), open(self._file, "rb") as file:
            raw = json.loads(file.read())
            self.version, self.txg = raw["version"], raw["txg"]
            self.pools = {name: Pool(**pool) for name, pool in raw["pools"].items()}
            self.datasets = {name: _dataset(data) for name, data in raw["datasets"].items()}
        return self

    def store(self) -> None:
        """All of it at once, so that a kill leaves the old or the new."""
        new = f"{self._file}.{os.getpid()}"
        fields = {name: getattr(self, name) for name in ("version", "txg", "pools", "datasets")}
        with open(new, "w", encoding="utf-8") as file:
            file.write(json.dumps(fields, default=vars))
        os.replace(new, self._file)

    @property
    def _file(self) -> str:
        return os.path.join(self.folder, "state.json")

    def next_txg(self) -> int:
        """A transaction group that nothing else was made in."""
        self.txg += 5
        return self.txg

    def now(self) -> int:
        """Seconds since 1970 by the world's clock: `+60` is ahead of the real one, `=0` stands."""
        return int(clock(self.folder))

    def place(self, name: str) -> str:
        """The path of a folder with contents."""
        return os.path.join(self.folder, "contents", name)

    def snapshot(self, name: str) -> Snapshot | None:
        """The one with this full name."""
        dataset, _, short = name.partition("@")
        return self.datasets[dataset].snapshots.get(short) if dataset in self.datasets else None

    def clones(self, snapshot: str) -> list[str]:
        """The datasets that were made from it."""
        return sorted(name for name, data in self.datasets.items() if data.origin == snapshot)

    def children(self, name: str) -> list[str]:
        """The datasets right below it, by name."""
        depth = name.count("/") + 1
        return sorted(
            other
            for other in self.datasets
            if other.startswith(f"{name}/") and other.count("/") == depth
        )


def clock(folder: str) -> float:
    """The time in the world of FOLDER."""
    try:
        with open(os.path.join(folder, "clock"), encoding="ascii") as file:
            said = file.read().strip()
    except FileNotFoundError:
        return time.time()
    return float(said[1:]) if said.startswith("=") else time.time() + float(said)


def guid() -> int:
    """A number that nothing else has."""
    return int.from_bytes(os.urandom(8), "big") >> (64 - _GUID_BITS)


def new_dataset(state: State, props: dict[str, str]) -> Dataset:
    """One without contents, not entered yet; its folder is there."""
    identity = guid()
    folder = f"{identity:016x}"
    os.makedirs(state.place(folder))
    return Dataset(
        guid=identity, createtxg=state.next_txg(), creation=state.now(), folder=folder,
        props=props, received={}, mounted=0, origin="", partial={}, snapshots={}, bookmarks={},
    )  # fmt: skip


@contextlib.contextmanager
def reading(folder: str) -> Iterator[State]:
    """The state while nobody changes it."""
    with _locked(folder):
        yield State(folder).load()


@contextlib.contextmanager
def changing(folder: str) -> Iterator[State]:
    """The state, stored at the end unless an error is raised."""
    with _locked(folder):
        state = State(folder).load()
        yield state
        state.store()


@contextlib.contextmanager
def _locked(folder: str) -> Iterator[None]:
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _dataset(raw: dict[str, Any]) -> Dataset:
    data = Dataset(**raw)
    data.snapshots = {name: Snapshot(**fields) for name, fields in raw["snapshots"].items()}
    data.bookmarks = {name: Bookmark(**fields) for name, fields in raw["bookmarks"].items()}
    return data
