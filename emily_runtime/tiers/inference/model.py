"""The generative model over joint states and joint outcomes, and Bayes' rule on it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from emily_runtime.tiers.arrays import TINY, Floats, distributions, floats, locked
from emily_runtime.tiers.refusals import Impossible, Refusal, TooLarge

JOINT_STATES = 4096
CELLS = 2**25
"""Numbers in one table; 256 MiB."""
MOST_NATS = 1e6
"""Of a preference: with a larger one, sums over a horizon lose their digits and then overflow."""


@dataclass(frozen=True, eq=False)
class Model:
    """A, B, C and D of the literature; Refusal where a table is no distribution."""

    likelihood: Floats
    """A (outcomes, states): p(outcome | state)."""
    transition: Floats
    """B (actions, states, states): p(next | action, now), the next state first."""
    preference: Floats
    """C (outcomes,): log preferences; any constant may be added to them."""
    prior: Floats
    """D (states,): the belief before anything was seen."""
    log_wanted: Floats = field(init=False, repr=False)
    """ln softmax(C) (outcomes,): the preferences as a distribution, in nats."""
    vagueness: Floats = field(init=False, repr=False)
    """The entropy of A in each state (states,), in nats."""
    moves: Floats = field(init=False, repr=False)
    """B (states, actions * states), so that one product predicts under every action."""

    def __post_init__(self) -> None:
        outcomes, states, actions = len(self.preference), len(self.prior), len(self.transition)
        _refuse_large(outcomes, states, actions)
        likelihood = distributions(self.likelihood, (outcomes, states), "A")
        transition = distributions(self.transition, (actions, states, states), "B", axis=1)
        preference = floats(self.preference, (outcomes,), "C")
        if (abs(preference) > MOST_NATS).any():
            raise Refusal(f"C must stay within {MOST_NATS:,.0f} nats of 0")
        shifted = preference - preference.max()
        vagueness = -(likelihood * np.log(np.maximum(likelihood, TINY))).sum(axis=0)
        moves = transition.transpose(2, 0, 1).reshape(states, actions * states)
        for name, value in {
            "likelihood": likelihood,
            "transition": transition,
            "preference": preference,
            "prior": distributions(self.prior, (states,), "D"),
            "log_wanted": locked(shifted - math.log(np.exp(shifted).sum())),
            "vagueness": locked(vagueness),
            "moves": locked(np.ascontiguousarray(moves)),
        }.items():
            object.__setattr__(self, name, value)

    @property
    def actions(self) -> int:
        """How many joint actions there are."""
        return len(self.transition)

    @cached_property
    def worst(self) -> float:
        """The most that one step of expected free energy can be: max over o of -ln p(o), nats."""
        return -float(self.log_wanted.min())


def joint(
    likelihoods: Sequence[ArrayLike],
    transitions: Sequence[ArrayLike],
    preferences: Sequence[ArrayLike],
    priors: Sequence[ArrayLike],
) -> Model:
    """One model from modalities and factors; TooLarge above JOINT_STATES.

    A of each modality is (outcomes, states of factor 1, states of factor 2, ...), B of each factor
    (actions, states, states). A joint outcome, state or action counts as numpy.ravel_multi_index
    does, the last factor fastest. No modality's information is counted twice.
    """
    beliefs = [np.asarray(prior, dtype=np.float64) for prior in priors]
    wishes = [np.asarray(preference, dtype=np.float64) for preference in preferences]
    moves = [np.asarray(transition, dtype=np.float64) for transition in transitions]
    states = math.prod(map(len, beliefs))
    _refuse_large(math.prod(map(len, wishes)), states, math.prod(map(len, moves)))
    likelihood = np.ones((1, states))
    for one in likelihoods:
        table = np.asarray(one, dtype=np.float64).reshape(-1, states)
        likelihood = np.einsum("os,ps->ops", likelihood, table).reshape(-1, states)
    preference: Floats = np.zeros(1)
    prior: Floats = np.ones(1)
    for wish in wishes:
        preference = np.add.outer(preference, wish).ravel()
    for belief in beliefs:
        prior = np.multiply.outer(prior, belief).ravel()
    transition = np.array([_together(chosen) for chosen in product(*moves)])
    return Model(likelihood, transition, preference, prior)


def _together(matrices: Sequence[Floats]) -> Floats:
    """The transition of all factors at once."""
    whole: Floats = np.ones((1, 1))
    for matrix in matrices:
        whole = np.kron(whole, matrix).astype(np.float64, copy=False)
    return whole


def _refuse_large(outcomes: int, states: int, actions: int) -> None:
    if states > JOINT_STATES:
        raise TooLarge("joint states", states, JOINT_STATES)
    if (cells := outcomes * states) > CELLS:
        raise TooLarge("likelihoods of joint outcomes", cells, CELLS)
    if (cells := actions * states**2) > CELLS:
        raise TooLarge("transition probabilities", cells, CELLS)


def perceive(model: Model, belief: Floats, outcome: int) -> tuple[Floats, float]:
    """The belief (states,) after an outcome, and its surprise -ln p(outcome) in nats.

    Impossible for an outcome that the belief rules out.
    """
    weights = model.likelihood[outcome] * belief
    evidence = float(weights.sum())
    if evidence <= 0:
        raise Impossible(outcome)
    return weights / evidence, -math.log(evidence)


def predict(model: Model, belief: Floats, action: int) -> Floats:
    """The belief (states,) after an action."""
    after: Floats = model.transition[action] @ belief
    return after
