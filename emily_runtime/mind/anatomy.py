"""The parts of the mind as components: who hears and who speaks on which topic of the bus."""

from collections.abc import Iterable
from time import perf_counter

from emily_runtime.mind.structs import ReaderView, TopologyView
from emily_runtime.nerves.bus import Reader
from emily_runtime.nerves.components import Component
from emily_runtime.nerves.topology import Topology, organise


def _part(name: str, consumes: str, produces: str) -> Component:
    return Component(name, frozenset(consumes.split()), frozenset(produces.split()))


PARTS = (
    _part("edge", "reply reflex alert beat incident", "stimulus"),
    _part("reflexes", "stimulus", "reflex"),
    _part("gate", "stimulus", "mind.heard"),
    _part("cycle", "mind.heard mind.reminded mind.done", "mind.cycled beat"),
    _part("memory", "mind.cycled", "mind.reminded"),
    _part("actor", "mind.cycled", "mind.done alert reply"),
    _part("supervisor", "", "incident"),
)


def organised() -> tuple[Topology, float]:
    """The topology of the parts, and the seconds that it took."""
    begin = perf_counter()
    topology = organise(PARTS)
    return topology, perf_counter() - begin


def view(topology: Topology, readers: Iterable[Reader]) -> TopologyView:
    """As it is shown, with whoever listens now."""
    return TopologyView(
        components=len(topology.components),
        cycles=[list(names) for names in topology.loops],
        clusters=[list(names) for names in topology.clusters],
        order=[list(names) for names in topology.order],
        readers=[ReaderView(one.name, one.lag, one.lost) for one in readers],
    )
