"""A file's bytes: read once, hashed, and held against another file's; holes are not read."""

import errno
import hashlib
import os
from dataclasses import dataclass

_CHUNK = 1 << 20
_ZEROS = bytes(_CHUNK)


@dataclass(frozen=True)
class Reading:
    """What came of reading a file beside another."""

    digest: bytes
    """Of its size and of every MiB that is not all zeros, with its place."""
    differs_at: int | None = None
    """The first byte in which the other one differs."""
    trouble: str = ""
    """Why the other one could not be read to its end."""


def read(path: bytes, other: bytes, size: int) -> Reading:
    """A file of SIZE bytes beside another of that size; OSError where PATH cannot be read."""
    digest = hashlib.sha256(b"%d" % size)
    one, two = _File(path), _Other(other)
    found = None
    at = 0
    try:
        while (at := min(one.data(at, size), two.data(at, size))) < size:
            at -= at % _CHUNK  # so that the hash does not know where a file system put holes
            mine = one.read(at)
            if mine != _ZEROS[: len(mine)]:
                digest.update(b"@%d:" % at)
                digest.update(mine)
            if found is None and mine != (its := two.read(at, mine)):
                found = at + _mismatch(mine, its)
            at += _CHUNK
    finally:
        one.close()
        two.close()
    return Reading(digest.digest(), found, two.trouble)


class _File:
    def __init__(self, path: bytes) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def data(self, at: int, size: int) -> int:
        """Where data begins, from here on; the end where there is only a hole."""
        if at >= size:
            return size
        try:
            return os.lseek(self._descriptor, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return size
            if error.errno == errno.EINVAL:  # a file system that knows no holes
                return at
            raise

    def read(self, at: int) -> bytes:
        """The chunk from here on, whole unless the file ends in it."""
        parts = []
        room = _CHUNK
        while room and (part := os.pread(self._descriptor, room, at)):
            parts.append(part)
            at += len(part)
            room -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        os.close(self._descriptor)


class _Other:
    """A file whose errors are remembered, not raised: they are what was asked about."""

    def __init__(self, path: bytes) -> None:
        self.trouble = ""
        self._file: _File | None = None
        try:
            self._file = _File(path)
        except OSError as error:
            self.trouble = str(error.strerror)

    def data(self, at: int, size: int) -> int:
        try:
            return self._file.data(at, size) if self._file else size
        except OSError as error:
            self._give_up(error)
            return size

    def read(self, at: int, otherwise: bytes) -> bytes:
        try:
            return self._file.read(at) if self._file else otherwise
        except OSError as error:
            self._give_up(error)
            return otherwise

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _give_up(self, error: OSError) -> None:
        self.trouble = str(error.strerror)
        self.close()


def _mismatch(one: bytes, two: bytes) -> int:
    shorter = min(len(one), len(two))
    return next((i for i in range(shorter) if one[i] != two[i]), shorter)
