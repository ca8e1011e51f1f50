"""A random share of a tree: so many files, and so many bytes, the same ones for the same seed."""

import heapq
import math
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

_TIMES = 10
"""Small files could make a sample by bytes endless: at most so many times the files asked for."""


@dataclass(frozen=True)
class Entry:
    """Anything but a folder, by its path below a root."""

    path: bytes
    size: int
    """0 of what is no regular file."""
    is_device: bool = False


@dataclass(frozen=True)
class Sample:
    """What was drawn, and from how much."""

    paths: tuple[bytes, ...]
    bytes: int
    of_files: int
    of_bytes: int
    too_large: int
    """Files that would not fit where the sample is restored to."""


@dataclass
class _Reservoir:
    """The entries of the smallest keys, as few as reach a goal."""

    goal: int
    most: int
    kept: list[tuple[float, bytes, int, int]] = field(default_factory=list)
    """A heap with the largest key first: minus the key, path, size, what it adds to the goal."""
    reached: int = 0

    def offer(self, key: float, entry: Entry, adds: int) -> None:
        if self._is_full and -key <= self.kept[0][0]:
            return
        heapq.heappush(self.kept, (-key, entry.path, entry.size, adds))
        self.reached += adds
        while self.kept and (
            self.reached - self.kept[0][3] >= self.goal or len(self.kept) > self.most
        ):
            self.reached -= heapq.heappop(self.kept)[3]

    @property
    def _is_full(self) -> bool:
        return bool(self.kept) and (self.reached >= self.goal or len(self.kept) >= self.most)


def draw(entries: Iterable[Entry], seed: int, *, files: int, size: int, room: int) -> Sample:
    """FILES files, each as likely as any other, and files worth SIZE bytes, each byte as likely.

    A file's luck is a hash of the seed and its path, so the order of entries does not matter; what
    is kept is the sample, however many entries stream by. None is larger than ROOM.
    """
    by_file = _Reservoir(files, files)
    by_byte = _Reservoir(size, max(1, files) * _TIMES)
    count = total = too_large = 0
    for entry in entries:
        count += 1
        total += entry.size
        if entry.size > room:
            too_large += 1
            continue
        by_file.offer(_luck(seed, b"file", entry.path), entry, 1)
        if entry.size:
            # The smallest of exponential variates, each with the size as its rate (Efraimidis
            # and Spirakis, 2006): a draw without replacement in proportion to size.
            luck = -math.log(_luck(seed, b"byte", entry.path)) / entry.size
            by_byte.offer(luck, entry, entry.size)
    chosen = {path: size for _, path, size, _ in (*by_file.kept, *by_byte.kept)}
    return Sample(tuple(sorted(chosen)), sum(chosen.values()), count, total, too_large)


def _luck(seed: int, kind: bytes, path: bytes) -> float:
    """Above 0, at most 1."""
    text = blake2b(path, digest_size=8, key=b"%d" % seed, person=kind).digest()
    return (int.from_bytes(text, "big") + 1) / 2.0**64


def walk(root: bytes, left_out: Callable[[bytes], bool]) -> Iterator[Entry]:
    """Everything but folders below a root; what is left out is not entered."""
    pending = [b""]
    while pending:
        folder = pending.pop()
        with os.scandir(root + b"/" + folder if folder else root) as found:
            for each in found:
                path = folder + b"/" + each.name if folder else each.name
                if left_out(path):
                    continue
                if each.is_dir(follow_symlinks=False):
                    pending.append(path)
                    continue
                status = each.stat(follow_symlinks=False)
                if not stat.S_ISSOCK(status.st_mode):  # restic keeps none
                    yield _entry(path, status)


def _entry(path: bytes, status: os.stat_result) -> Entry:
    is_device = stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode)
    return Entry(path, status.st_size if stat.S_ISREG(status.st_mode) else 0, is_device)
