"""What demand to expect at a time of day, learned from the demand of past days (Sterling 2012)."""

from dataclasses import dataclass

import numpy as np

from emily_runtime.tiers.arrays import Floats, locked
from emily_runtime.tiers.substrate import COUNT

DAY = 86_400.0


@dataclass(frozen=True, eq=False)
class Forecast:
    """The mean demand in each part of the day."""

    means: Floats
    """(parts, 5)"""
    rate: float = 0.01
    """How much of a mean one observation replaces."""

    @property
    def parts(self) -> int:
        """Into how many equal parts the day falls."""
        return len(self.means)


def forecast(parts: int = 24, expected: float = 0.5, rate: float = 0.01) -> Forecast:
    """One that expects the same all day."""
    return Forecast(locked(np.full((parts, COUNT), expected)), rate)


def predicted(by: Forecast, time: float) -> Floats:
    """The demand (5,) to expect at TIME in seconds, linear from one part's middle to the next."""
    place = time / DAY * by.parts - 0.5
    before = int(np.floor(place))
    share = place - before
    expected: Floats = (1 - share) * by.means[before % by.parts] + share * by.means[
        (before + 1) % by.parts
    ]
    return expected


def learned(by: Forecast, time: float, demand: Floats) -> Forecast:
    """The forecast after the DEMAND (5,) of one moment."""
    part = int(time / DAY * by.parts) % by.parts
    means = by.means.copy()
    means[part] += by.rate * (demand - means[part])
    return Forecast(locked(means), by.rate)
