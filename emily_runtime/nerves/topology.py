"""The shape that components take by themselves: loops, clusters, an order, and fused chains."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from emily_runtime.nerves.clusters import clusters
from emily_runtime.nerves.components import (
    Adjacency,
    Component,
    in_order,
    predecessors,
    successors,
)
from emily_runtime.nerves.loops import strong

Names = tuple[str, ...]


@dataclass(frozen=True)
class Chain:
    """Components that run as one function: each is heard by the next one alone."""

    members: tuple[Component, ...]

    @property
    def name(self) -> str:
        """Its members' names, in the order in which they run."""
        return " > ".join(component.name for component in self.members)

    @property
    def consumes(self) -> Names:
        """What its first member hears."""
        return tuple(sorted(self.members[0].consumes))

    @property
    def produces(self) -> Names:
        """What its last member speaks on; the topics in between are not spoken at all."""
        return tuple(sorted(self.members[-1].produces))


@dataclass(frozen=True)
class Topology:
    """Same components, same topology, in whatever order they were declared."""

    components: tuple[Component, ...]
    """By name."""
    loops: tuple[Names, ...]
    """Feedback: groups in which every member hears every other one, if only through others."""
    clusters: tuple[Names, ...]
    order: tuple[Names, ...]
    """Loops as one, otherwise components alone; each stands after all that it hears."""
    chains: tuple[Chain, ...]
    """Every component with a stage is in one of them, if alone."""
    after: Adjacency

    @cached_property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Who is heard by whom."""
        names = [component.name for component in self.components]
        return tuple(
            (names[place], names[follower])
            for place, followers in enumerate(self.after)
            for follower in followers
        )


def organise(components: Iterable[Component], watched: frozenset[str] = frozenset()) -> Topology:
    """The topology; what passes on WATCHED topics stays visible, so no chain runs over them."""
    found = in_order(components)
    names = [component.name for component in found]
    after = successors(found)
    before = predecessors(after)
    groups = strong(after)
    loops = [group for group in groups if len(group) > 1 or group[0] in after[group[0]]]
    return Topology(
        found,
        loops=_named(sorted(loops), names),
        clusters=_named(clusters(names, after, before), names),
        order=_named(_ordered(groups, after), names),
        chains=_chains(found, after, before, _unbound(found, loops, watched)),
        after=after,
    )


def _named(groups: Iterable[list[int]], names: list[str]) -> tuple[Names, ...]:
    return tuple(tuple([names[place] for place in group]) for group in groups)


def _ordered(groups: list[list[int]], after: Adjacency) -> list[list[int]]:
    """The condensation in topological order (Kahn, 1962); the first by name goes first."""
    of = [0] * len(after)
    for number, group in enumerate(groups):
        for place in group:
            of[place] = number
    later = [{of[follower] for place in group for follower in after[place]} for group in groups]
    waits = [0] * len(groups)
    for number, followers in enumerate(later):
        followers.discard(number)
        for follower in followers:
            waits[follower] += 1
    ready = [(group[0], number) for number, group in enumerate(groups) if not waits[number]]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, number = heapq.heappop(ready)
        ordered.append(groups[number])
        for follower in later[number]:
            waits[follower] -= 1
            if not waits[follower]:
                heapq.heappush(ready, (groups[follower][0], follower))
    return ordered


def _unbound(
    components: tuple[Component, ...], loops: list[list[int]], watched: frozenset[str]
) -> set[int]:
    """Whose one topic may be left unspoken; a loop that is all fused would begin nowhere."""
    looped = {place for loop in loops for place in loop}
    return {
        place
        for place, component in enumerate(components)
        if component.stage
        and len(component.produces) == 1
        and not component.produces & watched
        and place not in looped
    }


def _chains(
    components: tuple[Component, ...], after: Adjacency, before: Adjacency, unbound: set[int]
) -> tuple[Chain, ...]:
    follows: dict[int, int] = {}
    for place in unbound:
        followers = after[place]
        if len(followers) == 1 and len(before[followers[0]]) == 1:
            one, other = components[place], components[followers[0]]
            if other.stage and one.produces == other.consumes:
                follows[place] = followers[0]
    inner = set(follows.values())
    starts = [at for at, one in enumerate(components) if one.stage and at not in inner]
    return tuple(
        Chain(tuple(components[place] for place in _along(start, follows))) for start in starts
    )


def _along(start: int, follows: dict[int, int]) -> list[int]:
    places = [start]
    while places[-1] in follows:
        places.append(follows[places[-1]])
    return places
