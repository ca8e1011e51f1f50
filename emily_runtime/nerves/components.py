"""What is connected follows from what each component says it consumes and produces."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from emily_runtime.messages import Refused

Adjacency = list[list[int]]
"""The successors of every component, by place, in ascending order."""


@dataclass(frozen=True)
class Component:
    """A part of the runtime that hears some topics and speaks on others."""

    name: str
    consumes: frozenset[str] = frozenset()
    produces: frozenset[str] = frozenset()
    stage: Callable[[Any], Any] | None = None
    """Payload to payload, where None goes no further; a component without one runs elsewhere."""


def in_order(components: Iterable[Component]) -> tuple[Component, ...]:
    """Components by name; Refused where two have the same."""
    found = tuple(sorted(components, key=lambda component: component.name))
    for one, other in pairwise(found):
        if one.name == other.name:
            raise Refused("EMY-7001", name=one.name)
    return found


def successors(components: tuple[Component, ...]) -> Adjacency:
    """Who consumes a topic that each produces."""
    consumers: dict[str, list[int]] = {}
    for place, component in enumerate(components):
        for topic in component.consumes:
            consumers.setdefault(topic, []).append(place)
    return [_followers(component, consumers) for component in components]


def _followers(component: Component, consumers: dict[str, list[int]]) -> list[int]:
    if len(component.produces) == 1:
        return consumers.get(next(iter(component.produces)), [])
    return sorted({place for topic in component.produces for place in consumers.get(topic, ())})


def predecessors(after: Adjacency) -> Adjacency:
    """The same edges, read backwards."""
    before: Adjacency = [[] for _ in after]
    for place, followers in enumerate(after):
        for follower in followers:
            before[follower].append(place)
    return before
