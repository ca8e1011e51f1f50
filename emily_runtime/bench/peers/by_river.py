"""The same test for a change of level by river."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from emily_runtime.bench.levels import values
from emily_runtime.tiers.change import Change

NAMES = ("river",)


def prepared() -> Callable[[], dict[str, list[int]]]:
    """Where a change is told, in a stream that changes and in one that stays."""
    drift: Any = import_module("river.drift")
    by = Change()

    def told(stream: list[float]) -> list[int]:
        test = drift.PageHinkley(
            min_instances=by.patience, delta=by.slack, threshold=by.threshold, alpha=by.memory
        )
        places = []
        for place, value in enumerate(stream):
            test.update(value)
            if test.drift_detected:
                places.append(place)
        return places

    changing, staying = values()
    return lambda: {"changes": told(changing), "alarms": told(staying)}
