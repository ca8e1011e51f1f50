"""Rows 8 and 9: the exact flow, training without one, and how varied a hundred draws are."""

from importlib.util import find_spec
from statistics import NormalDist, median

import numpy as np

from emily_runtime.bench.row import Row, cpu_seconds, in_turn, not_run
from emily_runtime.tiers.arrays import Floats, Integers
from emily_runtime.tiers.gflownet.diversity import expected_unique, unique_deviation
from emily_runtime.tiers.gflownet.draw import distinct, independent
from emily_runtime.tiers.gflownet.exact import exact, terminals, total_variation
from emily_runtime.tiers.gflownet.space import Grid
from emily_runtime.tiers.gflownet.training import Training, train

DRAWN = 100
RUNS = 200


def rows() -> list[Row]:
    """torchgfn says for itself whether it is here."""
    why = "torchgfn is not installed" if find_spec("gfn") is None else "its row is not written yet"
    return [
        _exact(),
        not_run("8a", "the same beside torchgfn", "1,000 times", why),
        _trained(),
        not_run("8b", "the same beside torchgfn", "5 times its iterations; 1.1 of its TV", why),
        varied(),
    ]


def hypergrid(grid: Integers, size: int) -> Floats:
    """ln R of the literature's hypergrid with R0 0.1, R1 0.5, R2 2 (Bengio et al. 2021)."""
    away = np.abs(grid / (size - 1) - 0.5)
    outer = (away > 0.25).all(axis=1)
    ring = ((away > 0.3) & (away < 0.4)).all(axis=1)
    logs: Floats = np.log(0.1 + 0.5 * outer + 2.0 * ring)
    return logs


def _exact() -> Row:
    space = Grid([20] * 4)
    times = in_turn({"exact": lambda: exact(space, lambda grid: hypergrid(grid, 20))}, 5)
    small = Grid([8] * 4)
    flow = exact(small, lambda grid: hypergrid(grid, 8))
    apart = total_variation(terminals(small, flow.policy), flow.target)
    return Row(
        "8a",
        "exact flow of 20^4 states; total variation on 8^4",
        f"{median(times['exact']) * 1000:.0f} ms",
        "none needed",
        f"TV {apart:.0e}",
        "TV 1e-12",
        apart <= 1e-12,
    )


def _trained() -> Row:
    training = Training(iterations=500)
    space = Grid([8, 8])
    errors: list[float] = []

    def work() -> None:
        errors.append(train(space, lambda grid: hypergrid(grid, 8), training, 7).error)

    seconds = cpu_seconds(work)
    return Row(
        "8b",
        "trajectory balance on 8^2, 500 iterations",
        f"{500 / seconds:.0f} iterations per CPU second",
        "the exact flow: TV 0",
        f"TV {errors[-1]:.3f}",
        "TV under 0.1",
        errors[-1] < 0.1,
    )


def varied() -> Row:
    """Row 9."""
    target = exact(Grid([64, 64]), lambda grid: hypergrid(grid, 64)).target
    unique = len(set(distinct(target, DRAWN, 7).tolist()))
    found = [len(np.unique(independent(target, DRAWN, seed))) for seed in range(RUNS)]
    expected, spread = expected_unique(target, DRAWN), unique_deviation(target, DRAWN)
    width = NormalDist().inv_cdf(0.995) * spread / np.sqrt(RUNS)
    mean = float(np.mean(found))
    return Row(
        "9",
        f"different ones of {DRAWN}, over {RUNS} seeds",
        f"{unique} distinct; {mean:.2f} independent",
        f"{expected:.2f} expected exactly",
        f"apart by {abs(mean - expected):.2f}, band {width:.2f}",
        "100 distinct; inside the exact 99 % band",
        unique == DRAWN and abs(mean - expected) <= width,
    )
