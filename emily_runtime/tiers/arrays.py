"""The arrays of the tiers: their types, and how they are kept from being written to."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emily_runtime.tiers.refusals import Refusal

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]

TINY = 1e-300
"""Takes the place of 0 under a logarithm, where the product is 0 anyway."""
ROUNDING = 1e-9
"""How far the sum of probabilities may be from 1."""


def locked(array: NDArray[Any]) -> NDArray[Any]:
    """The same array, from now on read-only."""
    array.flags.writeable = False
    return array


def floats(values: ArrayLike, shape: tuple[int, ...], name: str) -> Floats:
    """A read-only copy; Refusal where the shape is another or a value isn't finite."""
    array = np.array(values, dtype=np.float64)
    if array.shape != shape:
        raise Refusal(f"{name} has shape {array.shape}, not {shape}")
    if not np.isfinite(array).all():
        raise Refusal(f"{name} holds a value that is not finite")
    return locked(array)


def distributions(values: ArrayLike, shape: tuple[int, ...], name: str, axis: int = 0) -> Floats:
    """A read-only copy, where each sum along AXIS is 1; Refusal where one is not."""
    array = floats(values, shape, name)
    if (array < 0).any() or (abs(array.sum(axis=axis) - 1) > ROUNDING).any():
        raise Refusal(f"{name} is no distribution along axis {axis}")
    return array


def softmax(logits: Floats) -> Floats:
    """Normalised exponentials along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return weights


def entropy(probabilities: Floats) -> float:
    """Shannon's entropy, in nats."""
    return -float(probabilities @ np.log(np.maximum(probabilities, TINY)))


def generator(seed: int) -> np.random.Generator:
    """Random numbers whose stream NumPy promises to keep: only .random() of it is used."""
    return np.random.Generator(np.random.PCG64(seed))
