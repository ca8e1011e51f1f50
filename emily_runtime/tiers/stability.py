"""Whether a linear system comes to rest, and what keeps it from that."""

from collections.abc import Sequence

import numpy as np

from emily_runtime.tiers.arrays import Booleans, Floats
from emily_runtime.tiers.refusals import Unstable

SLOWEST = 1e-9
"""Per second: what decays more slowly, over thirty years, counts as never coming to rest."""


def refuse_unstable(system: Floats, names: Sequence[str]) -> None:
    """Unstable, unless every eigenvalue has a negative real part.

    SYSTEM (2n, 2n) holds n transmitters and then their n opponents. Its eigenvalues are those of
    the groups of transmitters that drive one another in a circle, so the worst one belongs to
    groups that can be named; an eigenvector would also name those that are merely driven.
    """
    found: list[tuple[float, complex, list[int]]] = []
    for group in _circles(system[: len(names), : len(names)] != 0):
        rows = [*group, *(len(names) + member for member in group)]
        values = np.linalg.eigvals(system[np.ix_(rows, rows)])
        worst = complex(values[np.argmax(values.real)])
        found.append((worst.real, worst, group))
    real, value, _ = max(found, key=lambda entry: entry[0])
    if real >= -SLOWEST:
        guilty = [place for other, _, group in found if np.isclose(other, real) for place in group]
        raise Unstable(value, tuple(names[place] for place in sorted(guilty)))


def _circles(drives: Booleans) -> list[list[int]]:
    """The strongly connected components, from each member's reach."""
    reach = drives | np.eye(len(drives), dtype=bool)
    for _ in range(len(drives)):
        reach = reach @ reach
    mutual = reach & reach.T
    groups = {tuple(np.flatnonzero(row).tolist()) for row in mutual}
    return [list(group) for group in sorted(groups)]
