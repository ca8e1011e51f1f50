"""Three nodes one after another in LangGraph, with the stages that we fuse."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypedDict

from emily_runtime.bench.stages import SIGNALS, STAGES

NAMES = ("langgraph",)


class State(TypedDict):
    """What goes from node to node."""

    levels: Any


def prepared(items: int) -> Callable[[], None]:
    """ITEMS invocations."""
    graphs: Any = import_module("langgraph.graph")
    graph = graphs.StateGraph(State)
    for at, stage in enumerate(STAGES):
        graph.add_node(f"stage{at}", _node(stage))
        graph.add_edge(f"stage{at - 1}" if at else graphs.START, f"stage{at}")
    graph.add_edge(f"stage{len(STAGES) - 1}", graphs.END)
    made = graph.compile()

    def work() -> None:
        for _ in range(items):
            made.invoke({"levels": SIGNALS})

    return work


def _node(stage: Callable[[Any], Any]) -> Callable[[State], State]:
    def node(state: State) -> State:
        return {"levels": stage(state["levels"])}

    return node
