"""The reward that GFlowNets are measured by."""

import numpy as np

from emily_runtime.tiers.arrays import Floats, Integers


def hypergrid(grid: Integers, size: int) -> Floats:
    """ln R of the literature's hypergrid with R0 0.1, R1 0.5, R2 2 (Bengio et al. 2021)."""
    away = np.abs(grid / (size - 1) - 0.5)
    outer = (away > 0.25).all(axis=1)
    ring = ((away > 0.3) & (away < 0.4)).all(axis=1)
    logs: Floats = np.log(0.1 + 0.5 * outer + 2.0 * ring)
    return logs
