"""Vectors in memory for exact search: new ones in full, old ones in a quarter of the space."""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emily_runtime.memory.episode import DIMENSIONS, Vector

ROWS = 4096
"""Vectors on a shelf: 4 MiB in full."""
_STRIPES = 16
_BLOCK = 256
"""Rounded rows that are made whole at a time: they stay in the processor's cache."""
HOT = 32 * ROWS
"""Vectors that are held in full unless asked otherwise: 128 MiB."""


class Near(NamedTuple):
    """Candidates, best first."""

    numbers: NDArray[np.int64]
    scores: Vector
    cold: NDArray[np.bool_]
    """Whose score is off by the rounding to 8 bits."""


class _Hot:
    """A shelf of float32."""

    def __init__(self) -> None:
        self.used = 0
        self.numbers = np.empty(ROWS, dtype=np.int64)
        self.vectors: Vector = np.empty((ROWS, DIMENSIONS), dtype=np.float32)

    def fill(self, numbers: NDArray[np.int64], vectors: Vector) -> int:
        """How many fitted."""
        fits = min(ROWS - self.used, len(numbers))
        behind = slice(self.used, self.used + fits)
        self.numbers[behind] = numbers[:fits]
        self.vectors[behind] = vectors[:fits]
        self.used += fits  # last: a search that runs meanwhile sees whole rows only
        return fits

    def score(self, vector: Vector, into: Vector) -> None:
        np.dot(self.vectors[: len(into)], vector, out=into)


class _Cold:
    """A shelf of whole numbers from -127 to 127, with the scale of each row."""

    def __init__(self, hot: _Hot) -> None:
        self.used = hot.used
        self.numbers = hot.numbers[: hot.used].copy()
        vectors = hot.vectors[: hot.used]
        self.scales = np.maximum(abs(vectors).max(axis=1), np.float32(1e-12)) / np.float32(127)
        self.codes = np.rint(vectors / self.scales[:, None]).astype(np.int8)

    def score(self, vector: Vector, into: Vector) -> None:
        for begin in range(0, self.used, _BLOCK):
            part = slice(begin, min(begin + _BLOCK, self.used))
            np.dot(self.codes[part].astype(np.float32), vector, out=into[part])
        into *= self.scales


class Vectors:
    """A growing matrix; one caller adds at a time, any number search meanwhile."""

    def __init__(self, hot: int = HOT) -> None:
        self.hot = hot
        """About how many of the newest are held in full."""
        self._shelves: tuple[_Hot | _Cold, ...] = ()

    @property
    def last(self) -> int:
        """The highest number held, or 0."""
        shelves = self._shelves
        return int(shelves[-1].numbers[shelves[-1].used - 1]) if shelves else 0

    @property
    def count(self) -> int:
        """How many are held."""
        return sum(shelf.used for shelf in self._shelves)

    @property
    def cold(self) -> int:
        """How many are held in a quarter of their size."""
        return sum(shelf.used for shelf in self._shelves if isinstance(shelf, _Cold))

    def add(self, numbers: NDArray[np.int64], vectors: Vector) -> None:
        """NUMBERS (n,) rising, VECTORS (n, 256)."""
        begin = 0
        while begin < len(numbers):
            shelves = self._shelves
            last = shelves[-1] if shelves else None
            if not isinstance(last, _Hot) or last.used == ROWS:
                last = _Hot()
                begin += last.fill(numbers[begin:], vectors[begin:])
                self._shelves = (*shelves, last)
                self.settle()
            else:
                begin += last.fill(numbers[begin:], vectors[begin:])

    def settle(self) -> int:
        """Compress whole shelves that the limit has left behind; returns how many vectors."""
        before = self.cold
        whole = max(-(-self.hot // ROWS), 1)  # the last one still grows
        shelves = self._shelves
        old = [_Cold(s) if isinstance(s, _Hot) else s for s in shelves[:-whole]]
        self._shelves = (*old, *shelves[-whole:])
        return self.cold - before

    def nearest(self, vector: Vector, most: int) -> Near:
        """The MOST best by the inner product; ties by who is older."""
        shelves = self._shelves
        if not shelves:
            nothing = np.empty(0, dtype=np.int64)
            return Near(nothing, nothing.astype(np.float32), nothing.astype(np.bool_))
        scores = _scores(shelves, vector)
        best = _best(scores, most)
        best = best[np.lexsort((best, -scores[best]))[:most]]  # the older a vector, the lower
        places = [divmod(index, ROWS) for index in best.tolist()]  # all but the last are full
        numbers = np.array([shelves[shelf].numbers[row] for shelf, row in places], dtype=np.int64)
        cold = np.array([isinstance(shelves[shelf], _Cold) for shelf, _ in places], dtype=np.bool_)
        return Near(numbers, scores[best], cold)


def _scores(shelves: tuple[_Hot | _Cold, ...], vector: Vector) -> Vector:
    """The inner product with every row, in the order of the shelves."""
    ends = list(accumulate([shelf.used for shelf in shelves]))
    scores: Vector = np.empty(ends[-1], dtype=np.float32)
    for shelf, begin, end in zip(shelves, [0, *ends], ends, strict=False):
        shelf.score(vector, scores[begin:end])
    return scores


def _best(scores: Vector, most: int) -> NDArray[np.int64]:
    """Places of the MOST highest, of equals the first, and of some more: at most 17 MOST + 15.

    Of MOST stripes, each holds a score of at least ENOUGH: so the MOST highest are none below it,
    and fewer than MOST stripes hold a higher one. A text that comes ever again has as many equals.
    """
    width = len(scores) // _STRIPES
    if most >= width:
        return np.arange(len(scores))
    heights = scores[: width * _STRIPES].reshape(_STRIPES, width).max(axis=0)
    enough = np.partition(heights, width - most)[width - most]
    equals = np.flatnonzero(scores == enough)[:most]
    return np.concatenate([np.flatnonzero(scores > enough), equals])
