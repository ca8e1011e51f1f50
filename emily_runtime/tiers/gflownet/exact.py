"""Exact flows where all states can be enumerated, and the exact measure of any policy.

With a fixed backward policy the flow follows from the rewards alone (Bengio et al. 2021):
F(s) = R(s) + sum over children of F(s') P_B(s | s'). Nothing is trained, and terminals come out
exactly in proportion to their reward.
"""

from dataclasses import dataclass

import numpy as np

from emily_runtime.tiers.arrays import Floats, Integers, locked
from emily_runtime.tiers.gflownet.space import Policy, Reward, Space, levels, parents
from emily_runtime.tiers.refusals import Refusal

CHUNK = 8192
"""States that a policy is asked for at once: its answer may be wide."""


@dataclass(frozen=True, eq=False)
class Flow:
    """The flow through each state of a space."""

    space: Space
    flow: Floats
    """F (states,), with the largest reward as unit."""
    target: Floats
    """(states,): each state's share of all reward, 0 where one can't stop."""
    log_z: float
    """ln of the sum of all rewards."""

    def policy(self, coordinates: Integers) -> Floats:
        """P_F (n, actions + 1), the share of the flow that takes each way."""
        space = self.space
        allowed = space.allowed(coordinates)
        numbers = space.number(coordinates)
        jumps = space.strides()[space.axes] * space.rises
        children = numbers[:, np.newaxis] + np.where(allowed[:, :-1], jumps, 0)
        opening = coordinates[:, space.axes] == 0  # a child has one parent more
        ways = parents(coordinates)[:, np.newaxis] + opening
        onward = np.where(allowed[:, :-1], self.flow[children] / np.maximum(ways, 1), 0.0)
        top = self.flow[0] * self.target[numbers]
        shares = np.hstack([onward, top[:, np.newaxis]])
        return _normal(shares)


def exact(space: Space, reward: Reward, temperature: float = 1.0) -> Flow:
    """The flow for rewards R^(1/temperature); TooLarge above STATES, Refusal for a bad reward."""
    if not temperature > 0:
        raise Refusal(f"temperature {temperature} must be above 0")
    grid = space.everything()
    ends = np.flatnonzero(space.ends(grid))
    logs = np.asarray(reward(grid[ends]), dtype=np.float64) / temperature
    if logs.shape != ends.shape or not np.isfinite(logs).all():
        raise Refusal("a reward must be a finite logarithm for each terminal")
    top = float(logs.max())
    rewards = np.zeros(space.states)
    rewards[ends] = np.exp(logs - top)
    flow = space.flow(rewards)
    total = rewards.sum()
    return Flow(space, locked(flow), locked(rewards / total), top + float(np.log(total)))


def terminals(space: Space, policy: Policy) -> Floats:
    """Where a policy ends (states,), exactly: probability pushed from the source up the levels."""
    grid = space.everything()
    jumps = space.strides()[space.axes] * space.rises
    visits, ends = np.zeros(space.states), np.zeros(space.states)
    visits[0] = 1.0
    for level in levels(grid):
        for start in range(0, len(level), CHUNK):
            rows = level[start : start + CHUNK]
            passing = policy(grid[rows]) * visits[rows, np.newaxis]
            ends[rows] = passing[:, -1]
            for action, jump in enumerate(jumps):
                taken = passing[:, action] > 0
                visits[rows[taken] + jump] += passing[taken, action]  # children are distinct
    return ends


def total_variation(one: Floats, other: Floats) -> float:
    """Half the sum of absolute differences: 0 is equal, 1 disjoint."""
    return 0.5 * float(np.abs(one - other).sum())


def _normal(shares: Floats) -> Floats:
    total = shares.sum(axis=1, keepdims=True)
    normal: Floats = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    return normal
