"""Row 4: the shape of a thousand components."""

from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any

from emily_runtime.bench.planted import planted
from emily_runtime.bench.row import NOT_RUN, Row, in_turn, ratio
from emily_runtime.nerves.components import Component, in_order, successors
from emily_runtime.nerves.topology import organise

_WHAT = "organise 1,000 components"
_GOAL = "at most 12 ms, and 4 times networkx"


def rows() -> list[Row]:
    """One row."""
    components = planted(1)
    works = {"ours": lambda: organise(components)}
    has_peer = find_spec("networkx") is not None
    if has_peer:
        works["networkx"] = lambda: _by_networkx(components)
    times = in_turn(works)
    ours = f"{median(times['ours']) * 1e3:.1f} ms"
    is_quick = min(times["ours"]) <= 0.012
    if not has_peer:
        return [Row("4", _WHAT, ours, "networkx is not installed", NOT_RUN, _GOAL, is_quick)]
    faster = ratio(times["networkx"], times["ours"])
    peer = f"{median(times['networkx']) * 1e3:.1f} ms by networkx"
    return [Row("4", _WHAT, ours, peer, str(faster), _GOAL, is_quick and faster.reaches(4.0))]


def _by_networkx(components: list[Component]) -> Any:
    networkx: Any = import_module("networkx")  # no dependency: measured where it happens to be
    found = in_order(components)
    graph = networkx.DiGraph(dict(enumerate(successors(found))))
    groups = list(networkx.strongly_connected_components(graph))
    communities = networkx.community.louvain_communities(graph.to_undirected(), seed=1)
    order = list(networkx.topological_sort(networkx.condensation(graph, groups)))
    return groups, communities, order
