"""The substrate within the runtime: which measured quantities drive it, tick by tick."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from emily_runtime.tiers import substrate
from emily_runtime.tiers.allostasis import Forecast, forecast, learned, predicted
from emily_runtime.tiers.arrays import Floats
from emily_runtime.tiers.substrate import Levels, Step, Substrate

FADE = 0.8
"""What a tick leaves of the memory of a surprise or of a prediction error."""
STREAK = 0.1
"""How much of the success rate one result replaces."""
HABIT = 1e-4
"""How much of an hour's expected demand one cycle replaces: at 8 Hz a mean of 20 minutes."""
CAUGHT_UP = 64
"""Ticks that are made one by one; a longer gap, such as a suspended machine, is one step."""


class Measures(NamedTuple):
    """What was measured of the running process since the last cycle."""

    wall: float = 0.0
    """Seconds since the epoch, for the time of day."""
    pressure: float = 0.0
    """Share of time that work waited for memory (PSI), from 0 to 1."""
    errors: float = 0.0
    """Share of recent requests that failed."""
    budget: float = 1.0
    """Share of the budget that is left."""
    agreement: float = 0.5
    """Among voters; 1/2 while nobody votes."""
    thrift: int = 1
    """Tier 3 thinks in every so manieth cycle; in none where it is 0."""


class Echo(NamedTuple):
    """What results and surprises leave behind for a while."""

    error: float = 0.0
    """Result minus expectation, from -1 to 1, fading."""
    surprise: float = 0.0
    """Nats, fading."""
    success: float = 0.5
    """Share of good results among those that were good or bad."""


@dataclass(frozen=True, eq=False)
class Pace:
    """The substrate's parameters and its exact step for one tick."""

    substrate: Substrate
    frequency: float
    """Ticks per second."""
    one: Step = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "one", substrate.step(self.substrate, 1 / self.frequency))


@dataclass(frozen=True, eq=False)
class Body:
    """The state: levels, what is expected of the day, and the tick at which they hold."""

    tick: int = 0
    levels: Levels = field(default_factory=substrate.at_rest)
    forecast: Forecast = field(default_factory=lambda: forecast(rate=HABIT))


def demand(measures: Measures, echo: Echo) -> Floats:
    """The levels (5,) that would meet what was measured; 1/2 is nothing out of the ordinary.

    Dopamine from the prediction error, serotonin from the budget left and the success rate,
    oxytocin from agreement, cortisol from the worse of pressure and errors, norepinephrine from
    surprise as 1 - e^(-nats).
    """
    levels = (
        0.5 + 0.5 * echo.error,
        0.5 * (measures.budget + echo.success),
        measures.agreement,
        0.5 + 0.5 * max(measures.pressure, measures.errors),
        1.0 - 0.5 * math.exp(-echo.surprise),
    )
    wanted: Floats = np.clip(np.array(levels), 0.0, 1.0)
    return wanted


def lived(body: Body, pace: Pace, ticks: int, wanted: Floats, wall: float) -> Body:
    """The body TICKS later under a demand (5,): each tick an exact step, and set-points follow."""
    if ticks < 1:
        return body
    one, count = pace.one, ticks
    if ticks > CAUGHT_UP:
        one, count = substrate.step(pace.substrate, ticks / pace.frequency), 1
    levels, expected = body.levels, predicted(body.forecast, wall)
    for _ in range(count):
        drive = substrate.drive(pace.substrate, levels, wanted)
        levels = substrate.advance(one, levels, drive)
        levels = substrate.adjust(pace.substrate, one, levels, expected)
    return Body(body.tick + ticks, levels, learned(body.forecast, wall, wanted))


def faded(echo: Echo, ticks: int) -> Echo:
    """The echo TICKS later."""
    left = FADE**ticks
    return Echo(echo.error * left, echo.surprise * left, echo.success)
