"""Row 7: a decision by expected free energy, all policies at once and one by one."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from statistics import median

import numpy as np

from emily_runtime.bench.row import Row, in_turn, not_run, ratio
from emily_runtime.mind.situation import Action, Outlook, model
from emily_runtime.tiers.arrays import Floats, softmax
from emily_runtime.tiers.inference.expected import decide, step_cost
from emily_runtime.tiers.inference.policies import Policies, every_policy

DECISIONS = 100
MODEL = model(Outlook())


def rows() -> list[Row]:
    """16, 64 and 256 policies; pymdp says for itself whether it is here."""
    measured = [_decided(steps) for steps in (2, 3, 4)]
    goal = "50 times pymdp 0.0.7; 1.4 times pymdp 1 up to 64 policies; q(pi) equal to 1e-6"
    why = "pymdp is not installed" if find_spec("pymdp") is None else "its row is not written yet"
    return [*measured, not_run("7", "decision beside pymdp", goal, why)]


def _decided(steps: int) -> Row:
    policies = every_policy(len(Action), steps)
    ours = decide(MODEL, policies, MODEL.prior, 4.0).posterior
    apart = float(np.abs(ours - _one_by_one(policies)).max())
    works: dict[str, Callable[[], object]] = {
        "ours": partial(_repeated, partial(decide, MODEL, policies, MODEL.prior, 4.0)),
        "peer": partial(_one_by_one, policies),
    }
    times = in_turn(works, 5)
    times["ours"] = [one / DECISIONS for one in times["ours"]]
    found, count = ratio(times["peer"], times["ours"]), len(policies.actions)
    return Row(
        f"7-{count}",
        f"decision among {count} policies, 12 states",
        f"{median(times['ours']) * 1e6:.0f} us",
        f"{median(times['peer']) * 1e6:,.0f} us, policy by policy",
        f"{found}; q(pi) apart by {apart:.0e}",
        "faster; equal to 1e-6",
        found.reaches(1.0) and apart < 1e-6,
    )


def _repeated(work: Callable[[], object]) -> None:
    for _ in range(DECISIONS):
        work()


def _one_by_one(policies: Policies) -> Floats:
    """Each policy rolled out by itself, as the formula stands."""
    energies = []
    for actions in policies.actions.tolist():
        belief, energy = MODEL.prior, 0.0
        for action in actions:
            belief = MODEL.transition[action] @ belief
            _, risk, ambiguity = step_cost(MODEL, belief[np.newaxis])
            energy += float(risk[0] + ambiguity[0])
        energies.append(energy)
    return softmax(-4.0 * np.array(energies))
