"""The same shape by networkx: strong components, Louvain's communities, condensation, order."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from emily_runtime.bench.planted import planted
from emily_runtime.nerves.components import in_order, successors

NAMES = ("networkx",)


def prepared(seed: int) -> Callable[[], None]:
    """A thousand components."""
    networkx: Any = import_module("networkx")
    components = planted(seed)

    def work() -> None:
        graph = networkx.DiGraph(dict(enumerate(successors(in_order(components)))))
        groups = list(networkx.strongly_connected_components(graph))
        networkx.community.louvain_communities(graph.to_undirected(), seed=seed)
        list(networkx.topological_sort(networkx.condensation(graph, groups)))

    return work
