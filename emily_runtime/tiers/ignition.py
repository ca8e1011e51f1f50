"""The unit that is either silent or ignited, and the two thresholds between which it is both.

dx/dt = -x + sigma(beta(w x + s - theta)): a recurrent excitatory unit, the smallest model of the
ignition of Dehaene & Changeux (2005). Where beta w > 4 it has two resting states.
"""

import math
from dataclasses import dataclass, field

from emily_runtime.tiers.refusals import Refusal


@dataclass(frozen=True)
class Ignition:
    """The unit's parameters; Refusal where it has only one resting state."""

    steepness: float = 12.0
    """beta"""
    recurrence: float = 0.6
    """w"""
    threshold: float = 0.7
    """theta"""
    on: float = field(init=False)
    """s_on: the salience above which a silent unit ignites."""
    off: float = field(init=False)
    """s_off: the salience below which an ignited unit falls silent; less than s_on."""

    def __post_init__(self) -> None:
        loop = self.steepness * self.recurrence
        if not (self.steepness > 0 and 4 < loop < math.inf and math.isfinite(self.threshold)):
            raise Refusal(f"ignition: steepness times recurrence is {loop:g}; it must be above 4")
        half = math.sqrt(1 - 4 / loop) / 2
        object.__setattr__(self, "on", self._turn(0.5 - half))
        object.__setattr__(self, "off", self._turn(0.5 + half))

    def _turn(self, activity: float) -> float:
        """The salience at which a resting state vanishes, where its slope has become 1."""
        logit = math.log(activity / (1 - activity))
        return self.threshold + logit / self.steepness - self.recurrence * activity
