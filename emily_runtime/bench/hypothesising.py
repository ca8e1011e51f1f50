"""Rows 8 and 9: the exact flow, training without one, and how varied a hundred draws are."""

from collections.abc import Iterator
from functools import partial
from statistics import NormalDist, median
from typing import NamedTuple

import numpy as np

from emily_runtime.bench.grids import hypergrid
from emily_runtime.bench.peers.peer import Absent, Around, Peer, peer
from emily_runtime.bench.row import Row, Work, in_turn, not_run, ratio
from emily_runtime.tiers.gflownet.diversity import expected_unique, unique_deviation
from emily_runtime.tiers.gflownet.draw import distinct, independent
from emily_runtime.tiers.gflownet.exact import exact, terminals, total_variation
from emily_runtime.tiers.gflownet.space import Grid
from emily_runtime.tiers.gflownet.training import Training, train

DRAWN = 100
RUNS = 200
ITERATIONS, TRAININGS = 1_000, 3


def rows(around: Around) -> list[Row]:
    """All of rows 8 and 9; torchgfn trains for a minute or more."""
    return [_exact(), *_beside(around), varied()]


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


def _beside(around: Around) -> Iterator[Row]:
    """Training at equal trajectories on 8^4, and the exact flow of the same grid."""
    first, second = "exact flow of 8^4 beside a training", f"{ITERATIONS:,} iterations on 8^4"
    fast, good = "1,000 times torchgfn's training", "5 times torchgfn's; 1.1 of its TV"
    space, variations = Grid([8] * 4), list[float]()
    reward = partial(hypergrid, size=8)
    seeds = iter(range(7, 1000))

    def trained() -> None:
        training = Training(iterations=ITERATIONS)
        variations.append(train(space, reward, training, next(seeds)).error)

    works: dict[str, Work] = {"exact": lambda: exact(space, reward), "trained": trained}
    others: list[float] = []
    with peer(around, "by_torchgfn", dimensions=4, height=8, iterations=ITERATIONS) as theirs:
        if not isinstance(theirs, Absent):
            works["peer"] = _Told(theirs, others)
        times = in_turn(works, TRAININGS)
    sweep = f"{median(times['exact']) * 1000:.1f} ms, TV 0"
    own = median(variations)
    mine = f"{ITERATIONS / median(times['trained']):.0f} iterations per CPU second, TV {own:.3f}"
    if isinstance(theirs, Absent):
        yield not_run("8a", first, fast, theirs.why)._replace(ours=sweep)
        yield not_run("8b", second, good, theirs.why)._replace(ours=mine)
        return
    seconds, other = median(times["peer"]), median(others)
    found, quick = ratio(times["peer"], times["exact"]), ratio(times["peer"], times["trained"])
    told = f"TV {other:.3f}, {theirs.version}"
    yield Row("8a", first, sweep, f"{seconds:.1f} s, {told}", str(found), fast,
              found.reaches(1000.0))  # fmt: skip
    yield Row("8b", second, mine, f"{ITERATIONS / seconds:.0f} per CPU second, {told}",
              f"{quick}; TV {own / other:.2f} of its", good,
              quick.reaches(5.0) and own <= 1.1 * other)  # fmt: skip


class _Told(NamedTuple):
    """A peer whose total variation is kept of every turn."""

    peer: Peer
    variations: list[float]

    def seconds(self) -> float:
        """As the peer's."""
        took = self.peer.seconds()
        self.variations.append(self.peer.told["variation"])
        return took


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
