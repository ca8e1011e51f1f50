"""Row 4: the shape of a thousand components."""

from statistics import median

from emily_runtime.bench.peers.peer import Absent, Around, peer
from emily_runtime.bench.planted import planted
from emily_runtime.bench.row import NOT_RUN, Row, Work, in_turn, ratio
from emily_runtime.nerves.topology import organise

SEED = 1
_WHAT = "organise 1,000 components"
_GOAL = "at most 12 ms, and 4 times networkx"


def rows(around: Around) -> list[Row]:
    """One row."""
    components = planted(SEED)
    works: dict[str, Work] = {"ours": lambda: organise(components)}
    with peer(around, "by_networkx", seed=SEED) as theirs:
        if not isinstance(theirs, Absent):
            works["peer"] = theirs
        times = in_turn(works)
    ours = f"{median(times['ours']) * 1e3:.1f} ms"
    is_quick = min(times["ours"]) <= 0.012
    if isinstance(theirs, Absent):
        return [Row("4", _WHAT, ours, theirs.why, NOT_RUN, _GOAL, is_quick)]
    faster = ratio(times["peer"], times["ours"])
    peer_told = f"{median(times['peer']) * 1e3:.1f} ms by {theirs.version}"
    return [Row("4", _WHAT, ours, peer_told, str(faster), _GOAL, is_quick and faster.reaches(4.0))]
