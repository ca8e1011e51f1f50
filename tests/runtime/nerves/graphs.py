"""Graphs to organise, and what networkx 3.6.1 says about them."""

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path

from emily_runtime.nerves.components import Adjacency

RECORDED: list[str] = json.loads(Path(__file__).with_name("networkx.json").read_text("utf-8"))
"""The digest of the strongly connected components of random_graph(0), (1), and so on."""


def random_graph(seed: int) -> Adjacency:
    """Up to 60 nodes with about as many edges, where loops of all sizes occur."""
    chance = random.Random(seed)
    size = chance.randrange(1, 61)
    share = chance.uniform(0.2, 2.5) / size
    return [[to for to in range(size) if chance.random() < share] for _ in range(size)]


def digest(groups: Iterable[Iterable[int]]) -> str:
    """Of a set of sets, whatever their order."""
    text = json.dumps(sorted(sorted(group) for group in groups))
    return blake2b(text.encode(), digest_size=6).hexdigest()


def mutual_information(one: Sequence[int], other: Sequence[int]) -> float:
    """Of two labellings, normalised by the mean of their entropies: 1 when they say the same."""
    pairs = Counter(zip(one, other, strict=True))
    ones, others, total = Counter(one), Counter(other), len(one)
    shared = sum(
        number / total * math.log(number * total / (ones[left] * others[right]))
        for (left, right), number in pairs.items()
    )
    return 2 * shared / (_entropy(ones, total) + _entropy(others, total))


def _entropy(counts: Counter[int], total: int) -> float:
    return -sum(number / total * math.log(number / total) for number in counts.values())
