"""Components in groups that are known beforehand."""

import random

from emily_runtime.nerves.components import Component

GROUPS = 40
TOPICS = 400
STRAY = 0.02
"""The share of topics that lie in another group."""


def planted(seed: int, number: int = 1000) -> list[Component]:
    """Each produces a topic of its group and consumes three; the nth is of group n mod GROUPS."""
    chance = random.Random(seed)  # noqa: S311 - a graph to measure, not a secret

    def topic(group: int) -> str:
        if chance.random() < STRAY:
            group = chance.randrange(GROUPS)
        return f"topic-{group * (TOPICS // GROUPS) + chance.randrange(TOPICS // GROUPS)}"

    return [
        Component(
            f"component-{place:04}",
            consumes=frozenset(topic(place % GROUPS) for _ in range(3)),
            produces=frozenset({topic(place % GROUPS)}),
        )
        for place in range(number)
    ]
