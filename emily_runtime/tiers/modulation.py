"""What the substrate's levels set in the other tiers: monotone maps, neutral at a level of 1/2."""

import math
from dataclasses import dataclass

from emily_runtime.tiers.arrays import Floats

DEEPEST = 3
"""Steps of planning at the highest serotonin."""
CALM = 0.55
"""Cortisol up to which nobody is turned away: a stall of half a second among ten, or what an hour
of pressure leaves behind in the set-point, is no load."""


@dataclass(frozen=True)
class Modulation:
    """The settings of the other tiers."""

    precision: float
    """Factor of gamma in the policies' posterior, by dopamine; 1/e to e."""
    horizon: int
    """Steps of planning, by serotonin; 1 to DEEPEST."""
    trust: float
    """Weight of the swarm's votes, by oxytocin; 0 to 1."""
    shed: float
    """Share of new work to turn away, by cortisol; 0 to 1, and 0 up to a level of CALM."""
    gain: float
    """Factor of a signal's salience, by norepinephrine; 1/e to e."""


def modulation(shown: Floats) -> Modulation:
    """The settings for levels (5,) between 0 and 1, in the order of TRANSMITTERS."""
    dopamine, serotonin, oxytocin, cortisol, norepinephrine = shown.tolist()
    return Modulation(
        precision=math.exp(2 * dopamine - 1),
        horizon=1 + round(serotonin * (DEEPEST - 1)),
        trust=oxytocin,
        shed=max(0.0, (cortisol - CALM) / (1 - CALM)),
        gain=math.exp(2 * norepinephrine - 1),
    )
