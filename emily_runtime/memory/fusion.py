"""Two rankings made into one."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

DAMPING = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""


def candidates(most: int) -> int:
    """How far down each ranking is read for MOST fused results."""
    return max(4 * most, 40)


def fused(rankings: Sequence[Sequence[Key]], most: int) -> list[tuple[Key, float]]:
    """The best MOST by the sum of 1 / (60 + rank); ties by who came first."""
    scores: dict[Key, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, 1):
            scores[key] = scores.get(key, 0.0) + 1 / (DAMPING + rank)
    return sorted(scores.items(), key=lambda scored: -scored[1])[:most]
