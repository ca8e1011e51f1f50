"""The parts of the mind as components: who hears and who speaks on which topic of the bus."""

from collections.abc import Iterable, Mapping
from time import perf_counter
from types import MappingProxyType

from emily_runtime.mind.structs import ReaderView, TopologyView
from emily_runtime.nerves.bus import Reader
from emily_runtime.nerves.components import Component
from emily_runtime.nerves.fusion import Stage
from emily_runtime.nerves.topology import Topology, organise

NOTING, KEEPING = "noting", "keeping"
"""The chain that keeps durable topics."""
NO_STAGES: Mapping[str, Stage] = MappingProxyType({})


def _part(name: str, consumes: str, produces: str) -> Component:
    return Component(name, frozenset(consumes.split()), frozenset(produces.split()))


PARTS = (
    _part("edge", "reply reflex broadcast alert beat incident", "stimulus"),
    _part("reflexes", "stimulus", "reflex"),
    _part("gate", "stimulus", "mind.heard"),
    _part("cycle", "mind.heard mind.reminded mind.done", "mind.cycled broadcast beat"),
    _part("memory", "mind.cycled", "mind.reminded"),
    _part("actor", "mind.cycled", "mind.done alert reply"),
    _part("supervisor", "", "incident"),
    _part("ladder", "", "pressure"),
)


def parts(durable: Iterable[str], stages: Mapping[str, Stage] = NO_STAGES) -> tuple[Component, ...]:
    """Those of the mind, and those that keep DURABLE topics; STAGES run as fused chains."""
    if not (topics := frozenset(durable)):
        return PARTS
    kept = frozenset({"ledger.row"})
    noting = Component(NOTING, topics, kept, stages.get(NOTING))
    keeping = Component(KEEPING, kept, frozenset(), stages.get(KEEPING))
    return (*PARTS, noting, keeping)


def organised(found: Iterable[Component] = PARTS) -> tuple[Topology, float]:
    """The topology of parts, and the seconds that it took."""
    begin = perf_counter()
    topology = organise(found)
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
