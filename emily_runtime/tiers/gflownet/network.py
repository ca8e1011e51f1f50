"""A network of two hidden layers with its gradient written by hand, and the Adam optimiser."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from emily_runtime.tiers.arrays import Floats, generator

FIRST, SECOND, SMALL = 0.9, 0.999, 1e-8
"""Adam's constants, as Kingma & Ba (2015) give them."""


class Network(NamedTuple):
    """Weights as matrices over one flat vector of parameters."""

    parameters: Floats
    """(p,), everything below in a row."""
    layers: tuple[tuple[Floats, Floats], ...]
    """Weights (in, out) and biases (out,) of each layer: views of the parameters."""


class Trace(NamedTuple):
    """What a forward pass leaves for the backward pass."""

    inputs: Floats
    hidden: tuple[Floats, ...]
    """The output of each hidden layer (n, width)."""


class Moments(NamedTuple):
    """Adam's state."""

    first: Floats
    second: Floats
    steps: int


def network(parameters: Floats, widths: Sequence[int]) -> Network:
    """Views of a flat vector as layers between WIDTHS."""
    layers, at = [], 0
    for inputs, outputs in pairwise(widths):
        end = at + inputs * outputs
        weights = parameters[at:end].reshape(inputs, outputs)
        layers.append((weights, parameters[end : end + outputs]))
        at = end + outputs
    return Network(parameters, tuple(layers))


def initial(widths: Sequence[int], seed: int) -> Network:
    """Uniform weights within 1/sqrt(inputs) (LeCun), zero biases."""
    pairs = list(pairwise(widths))
    made = network(np.zeros(sum((inputs + 1) * outputs for inputs, outputs in pairs)), widths)
    random = generator(seed)
    for weights, _ in made.layers:
        reach = 1 / math.sqrt(len(weights))
        weights[:] = reach * (2 * random.random(weights.shape) - 1)
    return made


def forward(net: Network, inputs: Floats) -> tuple[Floats, Trace]:
    """Logits (n, outputs) of INPUTS (n, width)."""
    hidden: list[Floats] = []
    values = inputs
    for weights, biases in net.layers[:-1]:
        values = np.maximum(values @ weights + biases, 0.0)
        hidden.append(values)
    weights, biases = net.layers[-1]
    return values @ weights + biases, Trace(inputs, tuple(hidden))


def backward(net: Network, trace: Trace, slope: Floats, gradient: Network) -> None:
    """Write into GRADIENT the slope of a loss by the parameters, from its SLOPE by the logits."""
    inputs = (trace.inputs, *trace.hidden)
    for place in reversed(range(len(net.layers))):
        weights, biases = gradient.layers[place]
        np.matmul(inputs[place].T, slope, out=weights)
        np.sum(slope, axis=0, out=biases)
        if place:
            slope = (slope @ net.layers[place][0].T) * (inputs[place] > 0)


def adam(gradient: Floats, moments: Moments, rate: Floats) -> tuple[Floats, Moments]:
    """The change of the parameters, and the moments after it (Kingma & Ba 2015)."""
    first = FIRST * moments.first + (1 - FIRST) * gradient
    second = SECOND * moments.second + (1 - SECOND) * gradient**2
    steps = moments.steps + 1
    scale = rate * math.sqrt(1 - SECOND**steps) / (1 - FIRST**steps)
    return -scale * first / (np.sqrt(second) + SMALL), Moments(first, second, steps)


def still(size: int) -> Moments:
    """Adam's state before the first step."""
    return Moments(np.zeros(size), np.zeros(size), 0)
