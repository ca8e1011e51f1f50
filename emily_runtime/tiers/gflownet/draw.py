"""Samples: along a policy, from a known distribution, and without repeating any."""

import numpy as np

from emily_runtime.tiers.arrays import TINY, Floats, Integers, generator
from emily_runtime.tiers.gflownet.space import Policy, Space
from emily_runtime.tiers.refusals import Refusal


def chosen(probabilities: Floats, uniform: Floats) -> Integers:
    """A column for each row of PROBABILITIES (n, m), by UNIFORM (n,) in [0, 1); none with 0."""
    heights = probabilities.cumsum(axis=1)
    top = heights[:, -1]
    at = np.minimum(uniform * top, np.nextafter(top, 0))
    columns: Integers = (heights <= at[:, np.newaxis]).sum(axis=1)
    return columns


def walk(space: Space, policy: Policy, count: int, seed: int) -> Integers:
    """The coordinates (count, D) where independent walks along a policy stop."""
    random = generator(seed)
    places = np.zeros((count, len(space.shape)), dtype=np.int64)
    going = np.arange(count)
    while going.size:
        actions = chosen(policy(places[going]), random.random(going.size))
        on = actions < space.actions
        going = going[on]
        places[going] = space.moved(places[going], actions[on])
    return places


def independent(distribution: Floats, count: int, seed: int) -> Integers:
    """Numbers (count,) drawn from a DISTRIBUTION (n,) with repetition."""
    heights = distribution.cumsum()
    at = generator(seed).random(count) * heights[-1]
    numbers: Integers = np.searchsorted(heights, np.minimum(at, _below(heights)), side="right")
    return numbers


def distinct(distribution: Floats, count: int, seed: int) -> Integers:
    """Up to COUNT different numbers, in the order in which drawing without replacement finds them.

    The greatest of ln p + Gumbel noise (Gumbel-max; Kool et al. 2019): an exact sample. Fewer come
    back only when fewer have a probability above 0.
    """
    possible = np.flatnonzero(distribution > 0)
    noise = np.maximum(generator(seed).random(possible.size), TINY)
    keys = np.log(distribution[possible]) - np.log(-np.log(noise))
    if count < possible.size:
        kept = np.argpartition(-keys, count)[:count]
        possible, keys = possible[kept], keys[kept]
    order: Integers = possible[np.argsort(-keys, kind="stable")]
    return order


def distinct_walks(space: Space, policy: Policy, count: int, seed: int, most: int = 64) -> Integers:
    """Up to COUNT different terminals (n, D) where states can't be enumerated.

    Walks in rounds of COUNT, at MOST so many, keeping what is new: dropping repetitions from a
    sequence of independent draws is drawing without replacement.
    """
    if count < 1 or most < 1:
        raise Refusal("at least one sample and one round are needed")
    found: dict[tuple[int, ...], None] = {}
    seeds = generator(seed).random(most)
    for value in seeds:
        if len(found) >= count:
            break
        rows = walk(space, policy, count, int(value * 2**53))
        found.update(dict.fromkeys(map(tuple, rows.tolist())))
    return np.array(list(found)[:count], dtype=np.int64)


def _below(heights: Floats) -> float:
    return float(np.nextafter(heights[-1], 0))
