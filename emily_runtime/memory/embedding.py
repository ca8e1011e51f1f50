"""A vector for a text by hashing its runs of letters: no model, no network, the same everywhere.

Feature hashing with signs (Weinberger et al. 2009) over runs of 3 to 5 code points, each into four
of 256 places, as a sparse random projection does (Achlioptas 2003). Texts that share letters come
near to each other; it knows nothing of meaning. All sums are whole numbers, so that every machine
gets the same bits.
"""

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from emily_runtime.memory.episode import DIMENSIONS, Vector

RUNS = (3, 4, 5)
_PLACES = 4
"""Places that one run is added to, each by 8 bits of its hash, with a ninth for the sign."""
_MARKS = re.compile("[\u0300-\u036f]+")
_GAPS = re.compile(r"[\s!-/:-@\[-`{-~]+")
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def embed(text: str) -> Vector:
    """(256,) float32 of length 1; case, accents and punctuation don't matter."""
    hashes, counts = np.unique(_hashes(_folded(text)), return_counts=True)
    weights = np.frexp(counts.astype(np.float64))[1].astype(np.float64)  # 1 + floor(log2 count)
    sums = np.zeros(DIMENSIONS)
    for place in range(_PLACES):
        bits = (hashes >> np.uint64(9 * place)).astype(np.int64)
        signs = 1.0 - 2.0 * ((bits >> 8) & 1)
        sums += np.bincount(bits & 255, weights=signs * weights, minlength=DIMENSIONS)
    if not sums.any():  # nothing to hash, or all of it cancelled out
        sums[0] = 1.0
    length = np.sqrt(np.square(sums).sum())
    return np.asarray(sums / length, dtype=np.float32)


def _folded(text: str) -> str:
    """Lower case, no accents, syllables of Hangul as letters, one space wherever words part."""
    letters = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return f" {_GAPS.sub(' ', letters).strip()} "


def _hashes(text: str) -> NDArray[np.uint64]:
    """One hash for each run of each length, mixed by splitmix64's last steps (Steele 2014)."""
    points = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)
    runs = []
    for length in RUNS:
        rolled = np.full(max(len(points) - length + 1, 0), length, dtype=np.uint64)
        for offset in range(length):
            rolled = rolled * _STEP + points[offset : offset + len(rolled)]
        runs.append(rolled)
    mixed = np.concatenate(runs)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))
