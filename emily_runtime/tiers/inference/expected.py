"""Expected free energy of policies, and the choice among them (Friston et al. 2017).

Per step: risk = KL[q(o | pi) || p(o)], ambiguity = E_q(s)[H[p(o | s)]], and G is their sum over
steps, in nats. Over outcomes this equals -(E[ln p(o)] + mutual information), hence
0 <= G <= T max -ln p(o).
"""

import math
from dataclasses import dataclass

import numpy as np

from emily_runtime.tiers.arrays import TINY, Floats, entropy, floats, softmax
from emily_runtime.tiers.inference.model import Model
from emily_runtime.tiers.inference.policies import Level, Policies
from emily_runtime.tiers.refusals import Refusal


@dataclass(frozen=True, eq=False)
class Decision:
    """What is expected of each policy, and how far each is to be followed."""

    posterior: Floats
    """q(pi) (policies,), proportional to exp(-gamma G) times the habit."""
    risk: Floats
    """(policies,), nats."""
    ambiguity: Floats
    """(policies,), nats."""
    action: int
    """The most probable next action; the lower one of equals."""
    action_probabilities: Floats
    """(actions,)"""
    worst: float
    """The bound of G, nats."""

    @property
    def free_energy(self) -> Floats:
        """G (policies,), nats: lower is better."""
        return self.risk + self.ambiguity

    @property
    def efe_score(self) -> float:
        """The expected G under q(pi) as a share of its bound, from 0 (best) to 1."""
        if not self.worst:
            return 0.0
        return min(1.0, max(0.0, float(self.posterior @ self.free_energy) / self.worst))

    @property
    def entropy(self) -> float:
        """Of q(pi), nats: how undecided it is."""
        return entropy(self.posterior)


def decide(
    model: Model,
    policies: Policies,
    belief: Floats,
    precision: float = 1.0,
    habit: Floats | None = None,
) -> Decision:
    """Weigh policies from a BELIEF (states,) with PRECISION gamma and a HABIT E (policies,).

    Refusal for a precision that isn't finite and positive, or for actions that the model lacks.
    """
    if not 0 <= precision < math.inf:
        raise Refusal(f"precision {precision} must be finite and not negative")
    if policies.highest >= model.actions:
        raise Refusal(f"a policy takes an action that is not among the model's {model.actions}")
    risk, ambiguity = _expected(model, policies, belief)
    logits = -precision * (risk + ambiguity)
    if habit is not None:
        logits = logits + np.log(np.maximum(floats(habit, logits.shape, "E"), TINY))
    posterior = softmax(logits)
    first = policies.actions[:, 0]
    following = np.bincount(first, posterior, model.actions).astype(np.float64, copy=False)
    worst = policies.steps * model.worst
    return Decision(posterior, risk, ambiguity, int(following.argmax()), following, worst)


def step_cost(model: Model, beliefs: Floats) -> tuple[Floats, Floats, Floats]:
    """Outcomes (n, outcomes), risk (n,) and ambiguity (n,) of predicted BELIEFS (n, states)."""
    outcomes = beliefs @ model.likelihood.T
    surplus = np.log(np.maximum(outcomes, TINY)) - model.log_wanted
    return outcomes, np.einsum("no,no->n", outcomes, surplus), beliefs @ model.vagueness


def _expected(model: Model, policies: Policies, belief: Floats) -> tuple[Floats, Floats]:
    """Risk and ambiguity of each policy, summed over its steps."""
    beliefs = belief[np.newaxis]
    risk = ambiguity = np.zeros(1)
    for level in policies.levels:
        beliefs = _moved(model, level, beliefs)
        _, more_risk, more_ambiguity = step_cost(model, beliefs)
        risk = risk[level.parents] + more_risk
        ambiguity = ambiguity[level.parents] + more_ambiguity
    return risk[policies.leaves], ambiguity[policies.leaves]


def _moved(model: Model, level: Level, beliefs: Floats) -> Floats:
    """The belief after each beginning (n, states)."""
    states = beliefs.shape[1]
    if level.width == model.actions:
        everything: Floats = (beliefs @ model.moves).reshape(-1, states)
        return everything
    moved = np.empty((len(level.parents), states))
    for action in range(model.actions):
        rows = np.flatnonzero(level.actions == action)
        moved[rows] = beliefs[level.parents[rows]] @ model.transition[action].T
    return moved
