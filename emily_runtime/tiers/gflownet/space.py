"""The graphs on which a flow runs: partial hypotheses, and the steps that complete them.

A state is a row of coordinates; the empty one is all zero. Each step raises one coordinate, so
nothing comes back, and a state has as many parents as it has coordinates above zero. The backward
policy is uniform over them.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from emily_runtime.tiers.arrays import Booleans, Floats, Integers
from emily_runtime.tiers.refusals import Refusal, TooLarge

STATES = 2**18
"""The most states that are ever enumerated."""

Policy: TypeAlias = Callable[[Integers], Floats]
"""From coordinates (n, D) to probabilities (n, actions + 1); the last column is to stop."""
Reward: TypeAlias = Callable[[Integers], Floats]
"""From coordinates of terminals (n, D) to ln R (n,), finite."""


class Space(ABC):
    """A directed acyclic graph with one source, whose states are numbers in mixed radix."""

    def __init__(self, shape: Sequence[int], steps: Sequence[tuple[int, int]]) -> None:
        """SHAPE is how many values each coordinate takes, 0 among them.

        STEPS are the actions: a coordinate, and by how much it rises.
        """
        if not shape or min(shape) < 2:
            raise Refusal("a space needs a coordinate, and each coordinate two values")
        self.shape = tuple(shape)
        self.states = math.prod(shape)
        self.axes: Integers = np.array([axis for axis, _ in steps], dtype=np.int64)
        self.rises: Integers = np.array([rise for _, rise in steps], dtype=np.int64)
        self.first: Integers = np.cumsum([0, *shape[:-1]])  # of each coordinate's features

    @property
    def actions(self) -> int:
        """Ways to go on; to stop is one more."""
        return len(self.axes)

    @property
    def features(self) -> int:
        """The width of a state to a network: one place for each value of each coordinate."""
        return sum(self.shape)

    @property
    def longest(self) -> int:
        """The most steps before stopping."""
        return int(sum(size - 1 for size in self.shape))

    @abstractmethod
    def allowed(self, coordinates: Integers) -> Booleans:
        """Which actions, and at the end whether stopping, are open to states (n, actions + 1)."""

    @abstractmethod
    def ends(self, coordinates: Integers) -> Booleans:
        """Where stopping is open (n,), without asking for every action."""

    @abstractmethod
    def flow(self, rewards: Floats) -> Floats:
        """F (states,) for REWARDS (states,), which are 0 where one can't stop."""

    def coordinates(self, states: Integers) -> Integers:
        """(n, D) of numbers (n,)."""
        return np.stack(np.unravel_index(states, self.shape), axis=1)

    def number(self, coordinates: Integers) -> Integers:
        """(n,) of coordinates (n, D)."""
        numbers: Integers = np.ravel_multi_index(tuple(coordinates.T), self.shape)
        return numbers

    def everything(self) -> Integers:
        """The coordinates of all states in order of number; TooLarge above STATES."""
        if self.states > STATES:
            raise TooLarge("states", self.states, STATES)
        return self.coordinates(np.arange(self.states))

    def encoded(self, coordinates: Integers) -> Floats:
        """States to a network (n, features): a 1 for each coordinate's value."""
        rows = np.arange(len(coordinates))[:, np.newaxis]
        encoding = np.zeros((len(coordinates), self.features))
        encoding[rows, self.first + coordinates] = 1.0
        return encoding

    def moved(self, coordinates: Integers, actions: Integers) -> Integers:
        """The states after one ACTION each (n,)."""
        after = coordinates.copy()
        after[np.arange(len(after)), self.axes[actions]] += self.rises[actions]
        return after

    def strides(self) -> Integers:
        """What one more in each coordinate adds to a state's number."""
        return np.cumprod([1, *self.shape[:0:-1]])[::-1].astype(np.int64)


def parents(coordinates: Integers) -> Integers:
    """How many states lead to each (n,)."""
    count: Integers = np.count_nonzero(coordinates, axis=1)
    return count


class Facets(Space):
    """Hypotheses with one value for each facet, chosen in any order; coordinate 0 is still open."""

    def __init__(self, sizes: Sequence[int]) -> None:
        """SIZES is how many values each facet has."""
        steps = [(axis, value) for axis, size in enumerate(sizes) for value in range(1, size + 1)]
        super().__init__([size + 1 for size in sizes], steps)

    def allowed(self, coordinates: Integers) -> Booleans:
        """Any value of an open facet; stopping once none is open."""
        still_open = coordinates == 0
        return np.hstack([still_open[:, self.axes], self.ends(coordinates)[:, np.newaxis]])

    def ends(self, coordinates: Integers) -> Booleans:
        """Where no facet is open."""
        return np.asarray(coordinates.all(axis=1))

    def flow(self, rewards: Floats) -> Floats:
        """Of a complete hypothesis, each partial one with k of D facets gets the share 1 / C(D, k).

        A uniform backward walk opens facets in random order, so after D - k of them any k are left
        with equal chance: the sweep becomes one sum along each axis.
        """
        flow = rewards.reshape(self.shape).copy()
        chosen = np.zeros(self.shape, dtype=np.int64)
        for axis, size in enumerate(self.shape):
            head: list[int | slice] = [slice(None)] * len(self.shape)
            head[axis] = 0
            flow[tuple(head)] = flow.sum(axis=axis)
            level = (np.arange(size) > 0).astype(np.int64)
            chosen += level.reshape([-1 if other == axis else 1 for other in range(flow.ndim)])
        shares = np.array([math.comb(flow.ndim, count) for count in range(flow.ndim + 1)])
        shared: Floats = flow / shares[chosen]
        return shared.ravel()


class Grid(Space):
    """The hypergrid of the literature: from the origin, one step along an axis, stop anywhere."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__(shape, [(axis, 1) for axis in range(len(shape))])

    def allowed(self, coordinates: Integers) -> Booleans:
        """A step along each axis that isn't at its end; stopping always."""
        inside = coordinates < np.array(self.shape) - 1
        return np.hstack([inside, self.ends(coordinates)[:, np.newaxis]])

    def ends(self, coordinates: Integers) -> Booleans:
        """Anywhere."""
        return np.ones(len(coordinates), dtype=bool)

    def flow(self, rewards: Floats) -> Floats:
        """F(s) = R(s) + sum over children of F(s') / parents(s'), from the far corner inwards."""
        grid = self.everything()
        strides, ends = self.strides(), np.array(self.shape) - 1
        flow, share = rewards.copy(), np.zeros(self.states)
        ways = np.maximum(parents(grid), 1)
        for level in reversed(levels(grid)):
            inside = grid[level] < ends
            for axis, stride in enumerate(strides):
                inner = level[inside[:, axis]]
                flow[inner] += share[inner + stride]
            share[level] = flow[level] / ways[level]
        return flow


def levels(grid: Integers) -> list[Integers]:
    """States (by number) with the same sum of coordinates; each level leads only to higher ones."""
    heights = grid.sum(axis=1)
    small = heights.astype(np.min_scalar_type(int(heights.max())))  # by radix
    order: Integers = np.argsort(small, kind="stable")
    return np.split(order, np.cumsum(np.bincount(heights))[:-1])
