"""A client that keeps to its rate is turned away for a load that is there, and for nothing else."""

import math
from collections.abc import Callable

from emily_runtime.mind.body import Measures
from emily_runtime.mind.cycle import Mind, newborn
from tests.runtime.mind.minds import SETTINGS, thought

RATE, START = 8, 1.7e9


def lived(mind: Mind, seconds: int, pressure: Callable[[float], float]) -> tuple[Mind, float]:
    """The mind after so many seconds under PRESSURE, and the largest share that was put off."""
    begin, most = mind.body.tick, 0.0
    for tick in range(begin + 1, begin + 1 + seconds * RATE):
        stalled = pressure((tick - begin) / RATE)
        measures = Measures(wall=START + tick / RATE, pressure=stalled)
        mind, _ = thought(mind, tick / RATE, measures)
        most = max(most, mind.setting.shed)
    return mind, most


def test_one_stall_of_half_a_second_turns_nobody_away() -> None:
    _, most = lived(newborn(SETTINGS), 60, lambda time: 0.05 * math.exp(-time / 10))

    assert most == 0.0


def test_pressure_below_the_second_rung_turns_nobody_away_however_long_it_lasts() -> None:
    _, most = lived(newborn(SETTINGS), 300, lambda _: 0.1)

    assert most == 0.0


def test_the_load_of_an_hour_ago_turns_nobody_away() -> None:
    loaded, then = lived(newborn(SETTINGS), 1800, lambda _: 0.25)
    calm, _ = lived(loaded, 60, lambda _: 0.0)

    _, after = lived(calm, 60, lambda _: 0.0)

    assert then > 0.0
    assert after == 0.0
