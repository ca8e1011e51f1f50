"""Strongly connected components (Tarjan, SIAM J. Comput. 1(2), 1972), without recursion."""

from dataclasses import dataclass, field

from emily_runtime.nerves.components import Adjacency

_DONE = 1 << 60


@dataclass
class _Walk:
    """Where a depth-first walk stands."""

    after: Adjacency
    low: list[int]
    """0 before a visit, then the earliest visit that can be reached, and _DONE after all."""
    visits: int = 0
    stack: list[int] = field(default_factory=list)
    found: list[list[int]] = field(default_factory=list)


def strong(after: Adjacency) -> list[list[int]]:
    """Groups in which everyone reaches everyone; a group stands after all that it leads to."""
    walk = _Walk(after, [0] * len(after))
    for root in range(len(after)):
        if not walk.low[root]:
            _from(root, walk)
    return walk.found


def _from(root: int, walk: _Walk) -> None:
    low, after, stack = walk.low, walk.after, walk.stack
    walk.visits += 1
    low[root] = walk.visits
    stack.append(root)
    path = [(root, walk.visits, iter(after[root]))]
    while path:
        place, visit, followers = path[-1]
        for follower in followers:
            if not low[follower]:
                walk.visits += 1
                low[follower] = walk.visits
                stack.append(follower)
                path.append((follower, walk.visits, iter(after[follower])))
                break
            if low[follower] < low[place]:
                low[place] = low[follower]
        else:
            path.pop()
            if low[place] == visit:
                _close(place, walk)
            elif low[place] < low[path[-1][0]]:
                low[path[-1][0]] = low[place]


def _close(place: int, walk: _Walk) -> None:
    """What stands on the stack from PLACE on is one group."""
    start = len(walk.stack) - 1
    while walk.stack[start] != place:
        start -= 1
    group = walk.stack[start:]
    del walk.stack[start:]
    for member in group:
        walk.low[member] = _DONE
    walk.found.append(sorted(group))
