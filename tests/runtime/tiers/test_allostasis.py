"""Predicting a day's demand spares the effort of being surprised by it each day."""

import math

import numpy as np
import pytest

from emily_runtime.tiers.allostasis import DAY, Forecast, forecast, learned, predicted
from emily_runtime.tiers.substrate import Substrate, adjust, advance, at_rest, drive, step

TICK = 300.0


def daily(time: float) -> float:
    """A load that swings once a day."""
    return 0.5 + 0.3 * math.sin(2 * math.pi * time / DAY)


def taught(days: int) -> Forecast:
    """A forecast that has seen some days."""
    by = forecast()
    for tick in range(int(days * DAY / TICK)):
        by = learned(by, tick * TICK, np.full(5, daily(tick * TICK)))
    return by


def effort(by: Forecast) -> float:
    """The sum of squared deviations over a day, under set-points that follow a forecast."""
    substrate = Substrate()
    levels, tick, total = at_rest(), step(substrate, TICK), 0.0
    for number in range(int(DAY / TICK)):
        time = number * TICK
        levels = adjust(substrate, tick, levels, predicted(by, time))
        levels = advance(tick, levels, drive(substrate, levels, np.full(5, daily(time))))
        total += float(levels.deviation @ levels.deviation)
    return total


def test_a_forecast_of_the_day_saves_nine_tenths_of_the_effort() -> None:
    fixed = effort(forecast())

    assert effort(taught(20)) < fixed / 10


def test_a_forecast_learns_the_mean_of_each_part_of_the_day() -> None:
    by = taught(200)

    for hour in range(24):
        middle = (hour + 0.5) * DAY / 24
        assert predicted(by, middle) == pytest.approx(np.full(5, daily(middle)), abs=0.02)


def test_midnight_is_no_step() -> None:
    by = taught(50)

    assert predicted(by, DAY - 1e-6) == pytest.approx(predicted(by, 0.0), abs=1e-6)
    assert predicted(by, 0.0) == pytest.approx(predicted(by, 3 * DAY), abs=1e-9)


def test_one_part_learns_and_the_others_stay() -> None:
    by = learned(forecast(4, rate=0.5), 0.3 * DAY, np.ones(5))

    assert by.means[:, 0].tolist() == [0.5, 0.75, 0.5, 0.5]
