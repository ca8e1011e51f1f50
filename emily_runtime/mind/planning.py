"""Plans for a model of one's own, or for the one that the runtime lives by."""

from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from emily_runtime.flags.flags import Flags
from emily_runtime.mind.settings import Settings
from emily_runtime.mind.situation import Action
from emily_runtime.mind.structs import Plan, Weighed
from emily_runtime.tiers.arrays import entropy
from emily_runtime.tiers.inference.expected import decide
from emily_runtime.tiers.inference.model import Model
from emily_runtime.tiers.inference.policies import every_policy
from emily_runtime.tiers.inference.tree import plan as tree
from emily_runtime.tiers.refusals import Refusal

Planner = Literal["policies", "tree"]
TREE = "tree-planner"
"""The flag of those for whom the tree plans where they name no planner; nobody's unless set up."""


class Tables(Struct, frozen=True):
    """A model as JSON has it; each column of A and of each B sums to 1."""

    likelihood: list[list[float]]
    """A (outcomes, states)"""
    transition: list[list[list[float]]]
    """B (actions, states, states), the next state first."""
    preference: list[float]
    """C (outcomes,), ln."""
    prior: list[float]
    """D (states,)"""
    actions: list[str] = []
    """Names; numbers where they are left out."""


class Wanted(Struct, frozen=True):
    """What to plan, and how."""

    model: Tables | None = None
    """None is the runtime's own."""
    horizon: int = 2
    planner: Planner | None = None
    """None is the tree where the flag is on for the identity, and all policies otherwise."""
    precision: float = 4.0
    identity: str = ""
    """On whose behalf: what the flag is asked about."""


def settled(wanted: Wanted, flags: Flags) -> Wanted:
    """The same with a planner, by the flag where none was named."""
    if wanted.planner:
        return wanted
    return replace(wanted, planner="tree" if flags.is_on(TREE, wanted.identity) else "policies")


def planned(settings: Settings, wanted: Wanted) -> Plan:
    """The next action from the model's prior; Refusal or TooLarge where it can't be computed."""
    tables = wanted.model
    if tables is None:
        model, names = settings.model, [action.name.lower() for action in Action]
    else:
        model = _model(tables)
        names = list(tables.actions)
    names += [str(place) for place in range(len(names), model.actions)]
    if wanted.planner == "tree":
        return _by_tree(model, names, wanted)
    return _by_policies(model, names, wanted)


def _model(tables: Tables) -> Model:
    given = (tables.likelihood, tables.transition, tables.preference, tables.prior)
    try:
        return Model(*(np.array(table, dtype=np.float64) for table in given))
    except Refusal:
        raise
    except (ValueError, IndexError):
        raise Refusal("the tables of the model are empty or have rows of unequal length") from None


def _by_policies(model: Model, names: list[str], wanted: Wanted) -> Plan:
    policies = every_policy(model.actions, wanted.horizon)
    decision = decide(model, policies, model.prior, wanted.precision)
    return Plan(
        action=names[decision.action],
        actions=_weighed(names, decision.action_probabilities.tolist()),
        efe_nats=float(decision.posterior @ decision.free_energy),
        efe_score=decision.efe_score,
        entropy=decision.entropy,
        horizon=wanted.horizon,
        precision=wanted.precision,
        policies=len(policies.actions),
    )


def _by_tree(model: Model, names: list[str], wanted: Wanted) -> Plan:
    found = tree(model, model.prior, wanted.horizon, wanted.precision)
    nats = float(found.posterior @ found.free_energy)
    bound = wanted.horizon * model.worst
    return Plan(
        action=names[found.action],
        actions=_weighed(names, found.posterior.tolist()),
        efe_nats=nats,
        efe_score=min(1.0, max(0.0, nats / bound)) if bound else 0.0,
        entropy=entropy(found.posterior),
        horizon=wanted.horizon,
        precision=wanted.precision,
        policies=found.nodes,
        planner="tree",
    )


def _weighed(names: list[str], shares: list[float]) -> list[Weighed]:
    return [Weighed(*one) for one in zip(names, shares, strict=False)]
