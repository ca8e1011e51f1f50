"""Planning that looks before it chooses: sophisticated inference (Friston et al. 2021).

A policy of fixed actions can't answer to what it will see. Here the free energy of an action is its
own risk and ambiguity plus, over the outcomes it may bring, what the answer to each is worth:
G(u) = risk + ambiguity + E_q(o | u)[sum over u' of q(u' | o) G(u' | o)].
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emily_runtime.tiers.arrays import Floats, Integers, softmax
from emily_runtime.tiers.inference.expected import step_cost
from emily_runtime.tiers.inference.model import Model
from emily_runtime.tiers.refusals import Refusal, TooLarge

CELLS = 2**22
"""Probabilities in the widest level of the tree; 32 MiB."""
UNLIKELY = 1e-12
"""Outcomes less probable than this aren't followed."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What each next action is worth, when all later ones answer to what is seen."""

    free_energy: Floats
    """G (actions,), nats, summed over DEPTH steps."""
    posterior: Floats
    """q(u) (actions,)"""
    action: int
    """The most probable one; the lower one of equals."""
    nodes: int
    """Beliefs from which actions were weighed."""


class _Layer(NamedTuple):
    """One step of all futures."""

    cost: Floats
    """(nodes, actions)"""
    branches: Integers
    """(next nodes,): the node and action that each next node follows."""
    weights: Floats
    """(next nodes,): the probability of its outcome."""


def plan(model: Model, belief: Floats, depth: int, precision: float = 16.0) -> Plan:
    """Weigh the next actions from a BELIEF (states,), DEPTH steps ahead.

    PRECISION is how sharply later choices follow their free energy. TooLarge when the tree is.
    """
    if depth < 1 or not 0 <= precision < math.inf:
        raise Refusal("a plan needs a depth of 1 at least and a finite precision")
    layers, nodes, beliefs = [], 0, belief[np.newaxis]
    for left in reversed(range(depth)):
        nodes += len(beliefs)
        layer, beliefs = _grown(model, beliefs, left)
        layers.append(layer)
    energy = layers[-1].cost
    for layer in reversed(layers[:-1]):
        value = (softmax(-precision * energy) * energy).sum(axis=1) * layer.weights
        future = np.bincount(layer.branches, weights=value, minlength=layer.cost.size)
        energy = layer.cost + future.reshape(layer.cost.shape)
    posterior = softmax(-precision * energy[0])
    return Plan(energy[0], posterior, int(posterior.argmax()), nodes)


def _grown(model: Model, beliefs: Floats, left: int) -> tuple[_Layer, Floats]:
    """The costs at these beliefs, and with steps LEFT the beliefs after each possible outcome."""
    states = beliefs.shape[1]
    _refuse_wide(len(beliefs) * model.actions * max(states, len(model.likelihood)))
    moved = (beliefs @ model.moves).reshape(-1, states)
    outcomes, risk, ambiguity = step_cost(model, moved)
    cost = (risk + ambiguity).reshape(len(beliefs), model.actions)
    if not left:
        nothing = np.zeros(0)
        return _Layer(cost, nothing.astype(np.int64), nothing), beliefs
    branches, seen = np.nonzero(outcomes > UNLIKELY)
    _refuse_wide(len(branches) * states)
    weights = outcomes[branches, seen]
    after = moved[branches] * model.likelihood[seen] / weights[:, np.newaxis]
    return _Layer(cost, branches, weights), after


def _refuse_wide(cells: int) -> None:
    if cells > CELLS:
        raise TooLarge("probabilities in one level of the tree", cells, CELLS)
