"""One episode: what it holds, what it must be like, and the digest of all its fields."""

import hashlib
import math
import struct
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emily_runtime.messages import Refused

Vector: TypeAlias = NDArray[np.float32]

DIMENSIONS = 256
LEVELS = 5
"""Affect has one level for each transmitter, in the order of the substrate."""
LARGEST = 65_536
"""Bytes of a text in UTF-8."""
LONGEST = 200
"""Characters of a trace and of a source."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is taken for a figure."""
LENGTH = 26
_UNIT = 1e-3
"""How far a vector's length may be from 1."""
_SUMS = 1 << 128


class Episode(NamedTuple):
    """Something that happened."""

    identity: str
    """26 characters that sort by time; see identity()."""
    at: float
    """Seconds since the epoch."""
    text: str
    affect: tuple[float, ...]
    """Five levels, in the order of the substrate."""
    trace: str
    source: str
    vector: Vector
    """(256,) float32, of length 1."""


class Tally(NamedTuple):
    """How many episodes, and the sum of their digests: the same in whatever order they come."""

    episodes: int = 0
    total: int = 0

    def plus(self, episodes: Iterable[Episode]) -> "Tally":
        """With EPISODES added."""
        digests = [digest(episode) for episode in episodes]
        return Tally(self.episodes + len(digests), (self.total + sum(digests)) % _SUMS)

    @property
    def checksum(self) -> str:
        """32 hexadecimal digits."""
        return f"{self.total:032x}"


def identity(at: float, entropy: bytes) -> str:
    """48 bits of milliseconds and 80 of ENTROPY (10 bytes), in base 32: a ULID."""
    moment = min(max(int(at * 1000), 0), (1 << 48) - 1)
    number = (moment << 80) | int.from_bytes(entropy[:10], "big")
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def cleaned(text: str) -> str:
    """TEXT as every store can hold it: no NUL, no half of a pair, at most LARGEST bytes."""
    whole = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-16", "surrogatepass")
    encoded = whole.decode("utf-16", "replace").encode("utf-8")
    return encoded[:LARGEST].decode("utf-8", "ignore")


def checked(episode: Episode) -> Episode:
    """The same with its numbers as stores keep them; Refused (EMY-4010) where it can't be kept."""
    _check_words(episode)
    affect = tuple(float(level) for level in episode.affect)
    if len(affect) != LEVELS or not all(map(math.isfinite, affect)):
        raise _wrong(episode, "affect", f"it takes {LEVELS} finite levels")
    if not math.isfinite(episode.at):
        raise _wrong(episode, "at", "it is no moment")
    vector = np.ascontiguousarray(episode.vector, dtype=np.float32)
    if vector.shape != (DIMENSIONS,) or not abs(float(vector @ vector) - 1) < _UNIT:
        raise _wrong(episode, "vector", f"it takes {DIMENSIONS} numbers of length 1")
    # SQLite has no -0.0
    return episode._replace(at=float(episode.at) + 0.0, affect=affect, vector=vector)


def digest(episode: Episode) -> int:
    """128 bits of BLAKE2b over every field, each with its length before it."""
    fields = (
        episode.identity.encode(),
        struct.pack("<d", episode.at),
        episode.text.encode(),
        struct.pack(f"<{len(episode.affect)}d", *episode.affect),
        episode.trace.encode(),
        episode.source.encode(),
        episode.vector.astype("<f4").tobytes(),
    )
    whole = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    return int.from_bytes(hashlib.blake2b(whole, digest_size=16).digest(), "big")


def _check_words(episode: Episode) -> None:
    if len(episode.identity) != LENGTH or not set(episode.identity) <= set(ALPHABET):
        raise _wrong(episode, "identity", f"it takes {LENGTH} characters of base 32")
    for name in ("text", "trace", "source"):
        words: str = getattr(episode, name)
        if cleaned(words) != words:
            raise _wrong(episode, name, f"it holds what is no text, or over {LARGEST} bytes")
    if max(len(episode.trace), len(episode.source)) > LONGEST:
        raise _wrong(episode, "trace or source", f"it is longer than {LONGEST} characters")


def _wrong(episode: Episode, field: str, reason: str) -> Refused:
    return Refused("EMY-4010", identity=repr(episode.identity)[:40], field=field, reason=reason)
