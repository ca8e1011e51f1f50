"""Hypotheses about a broadcast: a cause, a situation and an action, in proportion to a reward.

The reward is ln R = ln share of salience (cause) + ln belief (situation) + ln p(good | action,
situation). The space is small, so its flow is exact: sampling follows the reward with no error.
For a space that cannot be enumerated a sampler is trained, and its error is told.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from emily_runtime.mind.situation import CHANCES, Action, Situation, situations
from emily_runtime.mind.stimulus import Content
from emily_runtime.mind.wishes import Coupling, Facet, Wish, reward_of, space_of, steepest
from emily_runtime.tiers.arrays import TINY, Floats, Integers
from emily_runtime.tiers.gflownet.diversity import Diversity, diversity, expected_unique
from emily_runtime.tiers.gflownet.draw import distinct, distinct_walks, independent, walk
from emily_runtime.tiers.gflownet.exact import exact
from emily_runtime.tiers.gflownet.space import STATES
from emily_runtime.tiers.gflownet.training import Training, train
from emily_runtime.tiers.refusals import Refusal, TooLarge
from emily_runtime.tiers.workspace import Entry

FEWEST_GOOD = 0.01
"""Takes the place of a chance of 0, so that no hypothesis is ruled out."""
GOOD = Coupling(
    "situation",
    "action",
    tuple(
        tuple(math.log(max(CHANCES[action][place][0], FEWEST_GOOD)) for action in Action)
        for place in Situation
    ),
)
"""ln p(good | action, situation)."""
TRAINING = Training(iterations=600, hidden=32, check=100)
"""About two seconds for four facets of ten values."""
MOST_VALUES = 512
"""Values of all facets together that a sampler is trained on; its network is as wide."""
MOST_NATS = 1000.0
MOST_WALKS = 1000
"""Samples of one request to a trained sampler."""


class Drawn(NamedTuple):
    """Hypotheses, and how varied they are beside what their reward leads one to expect."""

    hypotheses: tuple[tuple[str, ...], ...]
    log_z: float
    unique: int
    expected_unique: float | None
    """None where the space cannot be enumerated."""
    diversity: Diversity | None
    """None where each was asked to be different, or nothing can be expected."""
    total_variation: float | None = 0.0
    """From the target, exactly; None where the space cannot be enumerated."""
    loss: float | None = None
    """Of the trained sampler; None where the flow is exact."""


def is_trained(facets: Sequence[Facet], wish: Wish) -> bool:
    """Whether a sampler has to be trained; Refusal or TooLarge where nothing can be drawn.

    Training takes seconds, and nothing but the end of its process ends it early.
    """
    space = space_of(facets, wish)
    reward_of(facets, wish.couplings)  # refuses couplings that don't fit
    if not wish.is_trained and space.states <= STATES:
        return False
    values = space.features - len(facets)
    if values > MOST_VALUES:
        raise TooLarge("values of facets, to train a sampler", values, MOST_VALUES)
    if wish.count > MOST_WALKS:
        raise TooLarge("hypotheses of a trained sampler", wish.count, MOST_WALKS)
    if steepest(facets, wish) > MOST_NATS:
        raise Refusal(f"ln rewards must stay within {MOST_NATS:g} of 0 to train a sampler on them")
    return True


def drawn(facets: Sequence[Facet], wish: Wish, seed: int) -> Drawn:
    """Hypotheses by the exact flow; Refusal or TooLarge where there is none."""
    space = space_of(facets, wish)
    flow = exact(space, reward_of(facets, wish.couplings), wish.temperature)
    draw = distinct if wish.is_distinct else independent
    numbers = draw(flow.target, wish.count, seed)
    texts = _texts(facets, space.coordinates(numbers) - 1)
    judged = None if wish.is_distinct else diversity(numbers, flow.target)
    unique = len(texts) if judged is None else judged.unique
    return Drawn(texts, flow.log_z, unique, expected_unique(flow.target, wish.count), judged)


def learned(facets: Sequence[Facet], wish: Wish, seed: int, training: Training = TRAINING) -> Drawn:
    """Hypotheses by a sampler that is trained first."""
    space, reward = space_of(facets, wish), reward_of(facets, wish.couplings)
    trained = train(space, lambda ends: reward(ends) / wish.temperature, training, seed)
    draw = distinct_walks if wish.is_distinct else walk
    rows = draw(space, trained.policy, wish.count, seed)
    texts = _texts(facets, rows - 1)
    found = Drawn(texts, trained.log_z, len(set(texts)), None, None, None, trained.loss)
    if space.states > STATES:
        return found
    target = exact(space, reward, wish.temperature).target
    judged = None if wish.is_distinct else diversity(space.number(rows), target)
    expected = expected_unique(target, wish.count)
    return found._replace(expected_unique=expected, diversity=judged, total_variation=trained.error)


def about(ignited: Sequence[Entry], belief: Floats, wish: Wish, seed: int) -> Drawn:
    """Hypotheses about what IGNITED, under a belief (12,)."""
    saliences = [max(entry.salience, TINY) for entry in ignited]
    shares = np.maximum(situations(belief), TINY)
    facets = [
        Facet("cause", tuple(map(_named, ignited)), tuple(np.log(saliences).tolist())),
        _facet("situation", Situation, np.log(shares)),
        _facet("action", Action, np.zeros(len(Action))),
    ]
    return drawn(facets, replace(wish, couplings=(GOOD,)), seed)


def _facet(name: str, values: type[Action] | type[Situation], weights: Floats) -> Facet:
    return Facet(name, tuple(one.name.lower() for one in values), tuple(weights.tolist()))


def _named(entry: Entry) -> str:
    content = entry.item.content
    return content.text if isinstance(content, Content) else str(entry.item.sequence)


def _texts(facets: Sequence[Facet], rows: Integers) -> tuple[tuple[str, ...], ...]:
    """The values of each hypothesis (n, facets), by their places."""
    return tuple(
        tuple(facet.values[value] for facet, value in zip(facets, row, strict=True))
        for row in rows.tolist()
    )
