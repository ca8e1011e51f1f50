"""Trajectory balance, for spaces too large to enumerate (Malkin et al. 2022).

The loss of a trajectory is (ln Z + sum of ln P_F - ln R - sum of ln P_B)^2; it is zero for all of
them just when terminals come in proportion to their reward. The learning rate falls to nothing,
since a constant one drifts away again, and the best snapshot is kept.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from emily_runtime.tiers.arrays import Booleans, Floats, Integers, generator, softmax
from emily_runtime.tiers.gflownet.draw import chosen
from emily_runtime.tiers.gflownet.exact import exact, terminals, total_variation
from emily_runtime.tiers.gflownet.network import (
    Network,
    Trace,
    adam,
    backward,
    forward,
    initial,
    network,
    still,
)
from emily_runtime.tiers.gflownet.space import STATES, Reward, Space, parents
from emily_runtime.tiers.refusals import Refusal


@dataclass(frozen=True)
class Training:
    """How long and how boldly to train; Refusal where nothing would happen."""

    iterations: int = 2500
    batch: int = 16
    """Trajectories per iteration."""
    hidden: int = 64
    """Width of both hidden layers."""
    rate: float = 3e-3
    """Of the network, at first."""
    partition_rate: float = 0.1
    """Of ln Z, at first."""
    exploration: float = 0.0
    """The share of steps taken at random."""
    check: int = 250
    """Iterations between two snapshots."""

    def __post_init__(self) -> None:
        if min(self.iterations, self.batch, self.hidden, self.check) < 1:
            raise Refusal("training: iterations, batch, hidden and check must be 1 at least")
        if not (self.rate > 0 and self.partition_rate > 0 and 0 <= self.exploration < 1):
            raise Refusal("training: rates must be above 0, and exploration within 0 and 1")


@dataclass(frozen=True, eq=False)
class Trained:
    """A policy that has learned, at its best snapshot."""

    space: Space
    net: Network
    log_z: float
    error: float
    """Exact total variation where the space can be enumerated, else the mean loss."""
    iteration: int
    """When the snapshot was taken."""
    loss: float
    """The mean loss since the snapshot before it."""

    def policy(self, coordinates: Integers) -> Floats:
        """P_F (n, actions + 1)"""
        logits, _ = forward(self.net, self.space.encoded(coordinates))
        return _masked(logits, self.space.allowed(coordinates))


def _masked(logits: Floats, allowed: Booleans) -> Floats:
    """The softmax over what is allowed."""
    return softmax(np.where(allowed, logits, -np.inf))


class _Batch(NamedTuple):
    """All steps of a batch of trajectories, one below the other."""

    trace: Trace
    probabilities: Floats
    """(steps, actions + 1)"""
    actions: Integers
    """(steps,)"""
    owners: Integers
    """(steps,): which trajectory a step belongs to."""
    ends: Integers
    """(batch, D)"""
    log_backward: Floats
    """(batch,): the sum of ln P_B."""


def train(space: Space, reward: Reward, training: Training, seed: int) -> Trained:
    """A policy trained from SEED; its error is exact where the space can be enumerated."""
    random = generator(seed)
    widths = (space.features, training.hidden, training.hidden, space.actions + 1)
    size = len(initial(widths, seed).parameters)
    values = np.append(initial(widths, seed).parameters, 0.0)  # ln Z is the last of them
    rates = np.append(np.full(size, training.rate), training.partition_rate)
    gradient, moments = np.zeros(size + 1), still(size + 1)
    target = exact(space, reward).target if space.states <= STATES else None
    best, losses = None, list[float]()
    for iteration in range(1, training.iterations + 1):
        net = network(values[:-1], widths)
        batch = _rollout(space, net, training, random)
        losses.append(_slope(net, batch, (reward(batch.ends), values[-1]), gradient))
        decay = 0.5 * (1 + math.cos(math.pi * (iteration - 1) / training.iterations))
        change, moments = adam(gradient, moments, decay * rates)
        values = values + change
        if iteration % training.check == 0 or iteration == training.iterations:
            net = network(values[:-1], widths)
            recent = losses[-training.check :]
            loss = sum(recent) / len(recent)
            snapshot = Trained(space, net, float(values[-1]), math.inf, iteration, loss)
            error = _error(snapshot, target)
            if best is None or error < best.error:
                best = replace(snapshot, error=error)
    assert best
    return best


def _error(snapshot: Trained, target: Floats | None) -> float:
    if target is None:
        return snapshot.loss
    return total_variation(terminals(snapshot.space, snapshot.policy), target)


def _rollout(space: Space, net: Network, training: Training, random: np.random.Generator) -> _Batch:
    """Trajectories from the source, all at once, each until it stops."""
    ends = np.zeros((training.batch, len(space.shape)), dtype=np.int64)
    going, log_backward = np.arange(training.batch), np.zeros(training.batch)
    traces, probabilities, taken, owners = [], [], [], []
    while going.size:
        allowed = space.allowed(ends[going])
        logits, trace = forward(net, space.encoded(ends[going]))
        shares = _masked(logits, allowed)
        uniform = allowed / allowed.sum(axis=1, keepdims=True)
        bold = shares + training.exploration * (uniform - shares)
        actions = chosen(bold, random.random(going.size))
        traces.append(trace)
        probabilities.append(shares)
        taken.append(actions)
        owners.append(going)
        on = actions < space.actions
        going = going[on]
        ends[going] = space.moved(ends[going], actions[on])
        log_backward[going] -= np.log(parents(ends[going]))
    trace = Trace(
        np.concatenate([one.inputs for one in traces]),
        tuple(map(np.concatenate, zip(*(one.hidden for one in traces), strict=True))),
    )
    actions, all_owners = np.concatenate(taken), np.concatenate(owners)
    return _Batch(trace, np.concatenate(probabilities), actions, all_owners, ends, log_backward)


def _slope(net: Network, batch: _Batch, reached: tuple[Floats, float], gradient: Floats) -> float:
    """The mean loss; its slope by the parameters, and by ln Z at the end, goes into GRADIENT."""
    log_reward, log_z = reached
    steps, size = np.arange(len(batch.actions)), len(batch.ends)
    picked = np.log(batch.probabilities[steps, batch.actions])
    log_forward = np.bincount(batch.owners, weights=picked, minlength=size)
    gap = log_z + log_forward - log_reward - batch.log_backward
    slope = -batch.probabilities
    slope[steps, batch.actions] += 1.0
    slope *= (2 / size * gap)[batch.owners, np.newaxis]
    widths = (net.layers[0][0].shape[0], *(len(biases) for _, biases in net.layers))
    backward(net, batch.trace, slope, network(gradient[:-1], widths))
    gradient[-1] = 2 * gap.mean()
    return float((gap**2).mean())
