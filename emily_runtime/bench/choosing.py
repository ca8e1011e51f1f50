"""Row 7: a decision by expected free energy, all policies at once and one by one."""

from functools import partial
from statistics import median

import numpy as np

from emily_runtime.bench.decisions import MODEL, PRECISION
from emily_runtime.bench.peers.peer import Absent, Around, peer
from emily_runtime.bench.row import Row, Work, in_turn, not_run, ratio
from emily_runtime.mind.situation import Action
from emily_runtime.tiers.arrays import Floats, softmax
from emily_runtime.tiers.inference.expected import decide, step_cost
from emily_runtime.tiers.inference.policies import Policies, every_policy

DECISIONS = 100
STEPS = (2, 3, 4)
STATES = len(MODEL.prior)


def rows(around: Around) -> list[Row]:
    """16, 64 and 256 policies, one by one and beside both releases of pymdp."""
    return [
        *[_decided(steps) for steps in STEPS],
        *[_beside(around, "0.", steps, 50.0) for steps in STEPS],
        *[_beside(around, "1.", steps, 1.4 if steps < STEPS[-1] else 0.0) for steps in STEPS],
    ]


def _decided(steps: int) -> Row:
    policies = every_policy(len(Action), steps)
    count = len(policies.actions)
    apart = float(np.abs(_posterior(policies) - _one_by_one(policies)).max())
    works: dict[str, Work] = {
        "ours": partial(_repeated, policies),
        "peer": partial(_one_by_one, policies),
    }
    times = in_turn(works, 5)
    times["ours"] = [one / DECISIONS for one in times["ours"]]
    found = ratio(times["peer"], times["ours"])
    return Row(
        f"7-{count}",
        f"decision among {count} policies, {STATES} states",
        f"{median(times['ours']) * 1e6:.0f} µs",
        f"{median(times['peer']) * 1e6:,.0f} µs, policy by policy",
        f"{found}; q(pi) apart by {apart:.0e}",
        "faster; equal to 1e-6",
        found.reaches(1.0) and apart < 1e-6,
    )


def _beside(around: Around, release: str, steps: int, goal: float) -> Row:
    policies = every_policy(len(Action), steps)
    decisions = 1 if release == "0." else DECISIONS
    count = len(policies.actions)
    number, what = f"7-{count}", f"the same among {count}, beside pymdp {release}x"
    wanted = f"{goal:g} times; equal to 1e-6" if goal else "equal to 1e-6"
    with peer(around, "by_pymdp", steps=steps, decisions=decisions, release=release) as theirs:
        if isinstance(theirs, Absent):
            return not_run(number, what, wanted, theirs.why)
        times = in_turn({"ours": partial(_repeated, policies), "peer": theirs}, 5)
    apart = float(np.abs(_posterior(policies) - np.array(theirs.told["posterior"])).max())
    ours = [one / DECISIONS for one in times["ours"]]
    others = [one / decisions for one in times["peer"]]
    found = ratio(others, ours)
    return Row(
        number,
        what,
        f"{median(ours) * 1e6:.0f} µs",
        f"{median(others) * 1e6:,.0f} µs, {theirs.version}",
        f"{found}; q(pi) apart by {apart:.0e}",
        wanted,
        found.reaches(goal) and apart < 1e-6,
    )


def _posterior(policies: Policies) -> Floats:
    return decide(MODEL, policies, MODEL.prior, PRECISION).posterior


def _repeated(policies: Policies) -> None:
    for _ in range(DECISIONS):
        decide(MODEL, policies, MODEL.prior, PRECISION)


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
    return softmax(-PRECISION * np.array(energies))
