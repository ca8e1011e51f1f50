"""What hypotheses are asked for: facets, what their values are worth, and how many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emily_runtime.tiers.arrays import Floats, Integers
from emily_runtime.tiers.gflownet.space import Facets, Reward
from emily_runtime.tiers.refusals import Refusal, TooLarge

MOST = 10_000
"""Samples of one request."""


class Facet(NamedTuple):
    """One aspect of a hypothesis, and its possible values with their ln weights."""

    name: str
    values: tuple[str, ...]
    weights: tuple[float, ...]


class Coupling(NamedTuple):
    """What values of two facets are worth together, beside what each is worth alone."""

    one: str
    other: str
    weights: tuple[tuple[float, ...], ...]
    """ln; a row for each value of ONE."""


@dataclass(frozen=True)
class Wish:
    """How many hypotheses are wanted, and how."""

    count: int
    temperature: float = 1.0
    is_distinct: bool = True
    couplings: tuple[Coupling, ...] = ()
    is_trained: bool = False
    """Whether to train a sampler even where the flow can be had exactly."""


def space_of(facets: Sequence[Facet], wish: Wish) -> Facets:
    """The space of a wish that can be granted; Refusal or TooLarge for any other."""
    if wish.count < 1:
        raise Refusal("at least one hypothesis must be asked for")
    if wish.count > MOST:
        raise TooLarge("hypotheses", wish.count, MOST)
    if not wish.temperature > 0:
        raise Refusal(f"temperature {wish.temperature} must be above 0")
    for facet in facets:
        if len(facet.weights) != len(facet.values) or not facet.values:
            raise Refusal(f"facet {facet.name}: each value needs one weight, and one is needed")
    return Facets([len(facet.values) for facet in facets])


def reward_of(facets: Sequence[Facet], couplings: Sequence[Coupling]) -> Reward:
    """The sum of the ln weights of a hypothesis; Refusal for a coupling that fits no facets."""
    columns = [np.array([0.0, *facet.weights]) for facet in facets]
    tables = [_table(facets, coupling) for coupling in couplings]

    def reward(ends: Integers) -> Floats:
        logs: Floats = sum(
            (column[ends[:, place]] for place, column in enumerate(columns)), np.zeros(len(ends))
        )
        for one, other, table in tables:
            logs = logs + table[ends[:, one] - 1, ends[:, other] - 1]
        return logs

    return reward


def steepest(facets: Sequence[Facet], wish: Wish) -> float:
    """A bound of |ln R| over all hypotheses, at the temperature of the wish."""
    alone = sum(max(map(abs, facet.weights)) for facet in facets)
    rows = [row for coupling in wish.couplings for row in coupling.weights]
    return (alone + sum(max(map(abs, row)) for row in rows)) / wish.temperature


def _table(facets: Sequence[Facet], coupling: Coupling) -> tuple[int, int, Floats]:
    """The places of both facets, and the weights (values of one, values of the other)."""
    names = [facet.name for facet in facets]
    pair = (coupling.one, coupling.other)
    if pair[0] == pair[1] or any(names.count(name) != 1 for name in pair):
        raise Refusal(f"a coupling joins two facets, each there once, not {pair[0]} and {pair[1]}")
    one, other = names.index(pair[0]), names.index(pair[1])
    width = len(facets[other].values)
    rows = len(coupling.weights)
    if rows != len(facets[one].values) or any(len(row) != width for row in coupling.weights):
        raise Refusal(f"coupling of {pair[0]} and {pair[1]}: each pair of values needs one weight")
    return one, other, np.array(coupling.weights, dtype=np.float64)
