"""Row 19: a change of level is told, beside river; nothing is told of a level that stays."""

import random
from statistics import median

from emily_runtime.bench.peers.peer import Absent, Around, peer
from emily_runtime.bench.row import Row, Work, in_turn, not_run, ratio
from emily_runtime.tiers.change import ANEW, Change, watched

SHIFT, EACH, CHANGES = 1.5, 1_000, 30
STAYING = 30_000
COST = 1.1
_WHAT = f"a change by {SHIFT} deviations"
_GOAL = f"river's decisions at {COST} of its cost; no false alarm in {STAYING:,}"


def values() -> tuple[list[float], list[float]]:
    """A stream that changes its level every so often, and one that never does."""
    chance = random.Random(19)  # noqa: S311 - a stream to measure, not a secret
    changing = [
        chance.gauss(SHIFT * (part % 2), 1.0) for part in range(CHANGES) for _ in range(EACH)
    ]
    return changing, [chance.gauss(0.0, 1.0) for _ in range(STAYING)]


def rows(around: Around) -> list[Row]:
    """One row."""
    changing, staying = values()
    told: dict[str, list[int]] = {}

    def ours() -> None:
        told.update(changes=_told(changing), alarms=_told(staying))

    works: dict[str, Work] = {"ours": ours}
    with peer(around, "by_river") as theirs:
        if not isinstance(theirs, Absent):
            works["peer"] = theirs
        times = in_turn(works)
    number = len(changing) + len(staying)
    delays = median(place % EACH for place in told["changes"])
    mine = f"{median(times['ours']) / number * 1e6:.2f} µs a value, told after {delays:.0f}"
    if isinstance(theirs, Absent):
        return [not_run("19", _WHAT, _GOAL, theirs.why)._replace(ours=mine)]
    found = ratio(times["peer"], times["ours"])
    is_same = theirs.told == told
    same = "the same decisions" if is_same else "OTHER decisions"
    other = f"{median(times['peer']) / number * 1e6:.2f} µs, {theirs.version}, {same}"
    return [
        Row("19", _WHAT, mine, other, f"{found}; {len(told['alarms'])} false alarms", _GOAL,
            is_same and not told["alarms"] and found.reaches(1 / COST)),
    ]  # fmt: skip


def _told(stream: list[float]) -> list[int]:
    by, level, places = Change(), ANEW, []
    for place, value in enumerate(stream):
        level, is_change = watched(by, level, value)
        if is_change:
            places.append(place)
    return places
