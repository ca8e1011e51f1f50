"""Who talks mostly among themselves: label propagation (Raghavan et al., Phys. Rev. E 76, 2007)."""

from collections import Counter
from collections.abc import Sequence
from zlib import crc32

from emily_runtime.nerves.components import Adjacency

_SWEEPS = 32


def clusters(names: Sequence[str], after: Adjacency, before: Adjacency) -> list[list[int]]:
    """Groups of places, none of which reaches over what is connected, each in ascending order.

    Every component takes the label that most of its neighbours have, until none wants another;
    a group with half as many edges to another as within itself then joins it. Turns and ties go
    by a hash of the name, so that whoever is not connected changes nothing.
    """
    near = [one + other for one, other in zip(after, before, strict=True)]
    label = _joined(_propagated(_ranks(names), near), after)
    groups: dict[int, list[int]] = {}
    for place, one in enumerate(label):
        groups.setdefault(one, []).append(place)
    return list(groups.values())


def _ranks(names: Sequence[str]) -> list[int]:
    digests = [(crc32(name.encode()), name) for name in names]
    rank = [0] * len(names)
    for turn, place in enumerate(sorted(range(len(names)), key=digests.__getitem__)):
        rank[place] = turn
    return rank


def _propagated(rank: list[int], near: Adjacency) -> list[int]:
    label = rank[:]
    waiting = sorted(range(len(rank)), key=rank.__getitem__)
    for _ in range(_SWEEPS):
        changed = [place for place in waiting if near[place] and _follow(place, near[place], label)]
        if not changed:
            break
        # Whoever has the label that a neighbour took has one reason more to keep it.
        touched = [
            neighbour
            for place, taken in [(place, label[place]) for place in changed]
            for neighbour in near[place]
            if label[neighbour] != taken
        ]
        waiting = sorted(set(touched), key=rank.__getitem__)
    return label


def _follow(place: int, neighbours: list[int], label: list[int]) -> bool:
    """Whether it has taken another label."""
    theirs = [label[neighbour] for neighbour in neighbours]
    mine = label[place]
    if 2 * theirs.count(mine) >= len(theirs):
        return False
    votes: dict[int, int] = {}
    for one in theirs:
        votes[one] = votes.get(one, 0) + 1
    most = max(votes.values())
    if votes.get(mine) == most:
        return False
    label[place] = min([one for one, number in votes.items() if number == most])
    return True


def _joined(label: list[int], after: Adjacency) -> list[int]:
    inside, between = _edges(label, after)
    size = Counter(label)
    into = {one: one for one in label}
    for one in sorted(between, key=lambda label: (size[label], label)):
        other, number = max(between[one].items(), key=lambda item: (item[1], -item[0]))
        target = _root(other, into)
        if 2 * number >= inside[one] and target != one:
            into[one] = target
    return [_root(one, into) for one in label]


def _edges(label: list[int], after: Adjacency) -> tuple[Counter[int], dict[int, Counter[int]]]:
    """How many edges each label has within itself, and with each other label."""
    starts = [label[place] for place, followers in enumerate(after) for _ in followers]
    ends = [label[follower] for followers in after for follower in followers]
    inside: Counter[int] = Counter()
    between: dict[int, Counter[int]] = {}
    for (one, other), number in Counter(zip(starts, ends, strict=True)).items():
        if one == other:
            inside[one] = number
        else:
            between.setdefault(one, Counter())[other] += number
            between.setdefault(other, Counter())[one] += number
    return inside, between


def _root(label: int, into: dict[int, int]) -> int:
    while into[label] != label:
        label = into[label]
    return label
