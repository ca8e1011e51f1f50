"""The exponential of a matrix, by scaling and squaring of its Padé approximant (Higham 2005)."""

import math

import numpy as np

from emily_runtime.tiers.arrays import Floats

REACH = 5.371920351148152
"""The 1-norm up to which the approximant of degree 13 is exact to double precision."""
PADE = (
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
)


def exponential(matrix: Floats) -> Floats:
    """e to the power of a square matrix."""
    norm = float(np.abs(matrix).sum(axis=0).max())
    if not norm:  # no rounding, so that a step of no time changes nothing
        return np.eye(len(matrix))
    halvings = max(0, math.ceil(math.log2(norm) - math.log2(REACH)))
    result = _pade(matrix / 2.0**halvings)
    for _ in range(halvings):
        result = result @ result
    return result


def _pade(matrix: Floats) -> Floats:
    one = np.eye(len(matrix))
    two = matrix @ matrix
    four = two @ two
    six = two @ four
    low, high = PADE[0::2], PADE[1::2]
    even = six @ (low[6] * six + low[5] * four + low[4] * two) + (
        low[3] * six + low[2] * four + low[1] * two + low[0] * one
    )
    odd = matrix @ (
        six @ (high[6] * six + high[5] * four + high[4] * two)
        + (high[3] * six + high[2] * four + high[1] * two + high[0] * one)
    )
    return np.linalg.solve(even - odd, even + odd).astype(np.float64, copy=False)
