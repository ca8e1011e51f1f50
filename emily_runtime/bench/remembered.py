"""Episodes for the benchmark: words of a small vocabulary, vectors in clusters, both drawn."""

import numpy as np

from emily_runtime.memory.episode import DIMENSIONS, Episode, Vector, identity
from emily_runtime.tiers.arrays import Floats, generator

_CLUSTERS = 400
_SPREAD = 0.6
"""Length of the noise around a centre of length 1."""
_VOCABULARY = 5000
_WORDS = 12
_BEGIN = 1_700_000_000.0
_PART = 10_000
"""Vectors that are drawn at a time."""


def vectors(count: int, seed: int) -> Vector:
    """(count, 256) of length 1, around centres that are the same for every SEED."""
    parts = [_part(min(_PART, count - begin), seed + begin) for begin in range(0, count, _PART)]
    return np.concatenate(parts)


def _part(count: int, seed: int) -> Vector:
    centres, draw = _normal(_CLUSTERS, 0), generator(seed)
    chosen = (draw.random(count) * _CLUSTERS).astype(np.int64)
    noise = _normal(count, seed + 1) * (_SPREAD * draw.random((count, 1)))
    whole = centres[chosen] + noise
    return np.asarray(whole / np.linalg.norm(whole, axis=1, keepdims=True), dtype=np.float32)


def texts(count: int, seed: int) -> list[str]:
    """Twelve words each, frequent ones more often (the square of a uniform number)."""
    ranks = (np.square(generator(seed).random((count, _WORDS))) * _VOCABULARY).astype(np.int64)
    return [" ".join(f"word{rank}" for rank in row) for row in ranks.tolist()]


def episodes(count: int, seed: int = 1) -> list[Episode]:
    """A memory's worth."""
    rows = zip(texts(count, seed), vectors(count, seed), strict=True)
    made = []
    for number, (text, vector) in enumerate(rows):
        at = _BEGIN * seed + number
        name = identity(at, number.to_bytes(10, "big"))
        made.append(Episode(name, at, text, (0.0,) * 5, "bench", "bench", vector))
    return made


def _normal(count: int, seed: int) -> Floats:
    """Directions: Box and Muller (1958) from .random(), the one stream that NumPy keeps."""
    draw = generator(seed)
    radius = np.sqrt(-2 * np.log1p(-draw.random((count, DIMENSIONS))))
    whole: Floats = radius * np.cos(2 * np.pi * draw.random((count, DIMENSIONS)))
    return np.asarray(whole / np.linalg.norm(whole, axis=1, keepdims=True))
