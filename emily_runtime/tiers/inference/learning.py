"""Learning A and B by Dirichlet counts of what was seen and done (Friston et al. 2016)."""

from dataclasses import dataclass

import numpy as np

from emily_runtime.tiers.arrays import Floats, locked
from emily_runtime.tiers.inference.model import Model
from emily_runtime.tiers.refusals import Refusal


@dataclass(frozen=True, eq=False)
class Counts:
    """How often, real or imagined, each thing happened."""

    likelihood: Floats
    """pA (outcomes, states)"""
    transition: Floats
    """pB (actions, states, states), the next state first."""


def counts(model: Model, confidence: float) -> Counts:
    """As if each column of A and B had been seen CONFIDENCE times already."""
    if not confidence > 0:
        raise Refusal(f"confidence {confidence} must be above 0")
    return Counts(locked(model.likelihood * confidence), locked(model.transition * confidence))


def seen(by: Counts, outcome: int, belief: Floats) -> Counts:
    """pA + o (x) q(s), for an outcome under a BELIEF (states,)."""
    likelihood = by.likelihood.copy()
    likelihood[outcome] += belief
    return Counts(locked(likelihood), by.transition)


def done(by: Counts, action: int, before: Floats, after: Floats) -> Counts:
    """pB + q(s') (x) q(s), for an action between two beliefs (states,)."""
    transition = by.transition.copy()
    transition[action] += np.outer(after, before)
    return Counts(by.likelihood, locked(transition))


def learned(model: Model, by: Counts) -> Model:
    """The model with the counts' expectation as A and B."""
    return Model(
        by.likelihood / by.likelihood.sum(axis=0),
        by.transition / by.transition.sum(axis=1, keepdims=True),
        model.preference,
        model.prior,
    )
