"""Sequences of actions, arranged so that what they share at their beginning is computed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emily_runtime.tiers.arrays import Integers, locked
from emily_runtime.tiers.refusals import Refusal, TooLarge

POLICIES = 4096


class Level(NamedTuple):
    """The distinct beginnings of one length."""

    parents: Integers
    """(n,): the beginning that is one action shorter, in the level before."""
    actions: Integers
    """(n,): its last action."""
    width: int
    """Where each parent is followed by each of this many actions, in order; else 0."""


@dataclass(frozen=True, eq=False)
class Policies:
    """Policies of one length."""

    actions: Integers
    """(policies, steps)"""
    levels: tuple[Level, ...]
    leaves: Integers
    """(policies,): each policy among the beginnings of full length."""
    highest: int
    """The highest number of any action."""

    @property
    def steps(self) -> int:
        """How far they look ahead."""
        return len(self.levels)


def every_policy(actions: int, steps: int) -> Policies:
    """All sequences of actions, in lexicographic order; TooLarge above POLICIES."""
    count = actions**steps
    if count > POLICIES:
        raise TooLarge("policies", count, POLICIES)
    rows = np.indices((actions,) * steps).reshape(steps, count).T
    return policies(rows.tolist())


def policies(rows: Sequence[Sequence[int]]) -> Policies:
    """Given sequences of actions, each of the same length; TooLarge above POLICIES."""
    if len(rows) > POLICIES:
        raise TooLarge("policies", len(rows), POLICIES)
    if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
        raise Refusal("policies must be of one length, and at least one action long")
    table = np.array(rows, dtype=np.int64)
    if (table < 0).any():
        raise Refusal("an action must not be negative")
    levels = []
    before = np.zeros(len(table), dtype=np.int64)
    for step in range(table.shape[1]):
        pairs, place = np.unique(np.stack([before, table[:, step]]), axis=1, return_inverse=True)
        levels.append(_level(pairs[0], pairs[1]))
        before = place.reshape(-1)
    return Policies(locked(table), tuple(levels), locked(before), int(table.max()))


def _level(parents: Integers, actions: Integers) -> Level:
    width = int(actions.max()) + 1
    count = int(parents.max()) + 1
    whole = len(parents) == count * width  # pairs are distinct and sorted
    return Level(locked(parents), locked(actions), width if whole else 0)
