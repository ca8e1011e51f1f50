"""Hypotheses about a broadcast: a cause, a situation and an action, in proportion to a reward.

The reward is ln R = ln share of salience (cause) + ln belief (situation) + ln p(good | action,
situation). The space is small, so its flow is exact: sampling follows the reward with no error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emily_runtime.mind.settings import Hypothesising
from emily_runtime.mind.situation import CHANCES, Action, Situation, situations
from emily_runtime.mind.stimulus import Content
from emily_runtime.tiers.arrays import TINY, Floats, Integers
from emily_runtime.tiers.gflownet.diversity import Diversity, diversity, expected_unique
from emily_runtime.tiers.gflownet.draw import distinct, independent
from emily_runtime.tiers.gflownet.exact import Flow, exact
from emily_runtime.tiers.gflownet.space import Facets
from emily_runtime.tiers.refusals import Refusal, TooLarge
from emily_runtime.tiers.workspace import Entry

FEWEST_GOOD = 0.01
"""Takes the place of a chance of 0, so that no hypothesis is ruled out."""
MOST = 10_000
"""Samples of one request."""


class Facet(NamedTuple):
    """One aspect of a hypothesis, and its possible values with their ln weights."""

    name: str
    values: tuple[str, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Wish:
    """How many hypotheses are wanted, and how."""

    count: int
    temperature: float = 1.0
    is_distinct: bool = True


class Drawn(NamedTuple):
    """Hypotheses, and how varied they are beside what their reward leads one to expect."""

    hypotheses: tuple[tuple[str, ...], ...]
    log_z: float
    unique: int
    expected_unique: float
    diversity: Diversity | None
    """None where each was asked to be different."""


def drawn(facets: Sequence[Facet], wish: Wish, seed: int) -> Drawn:
    """Hypotheses from independent weights of FACETS; Refusal or TooLarge where they can't be."""
    _refuse(wish)
    for facet in facets:
        if len(facet.weights) != len(facet.values) or not facet.values:
            raise Refusal(f"facet {facet.name}: each value needs one weight, and one is needed")
    space = Facets([len(facet.values) for facet in facets])
    columns = [np.array([0.0, *facet.weights]) for facet in facets]

    def reward(ends: Integers) -> Floats:
        logs: Floats = sum(
            (column[ends[:, place]] for place, column in enumerate(columns)), np.zeros(len(ends))
        )
        return logs

    return _sampled(exact(space, reward, wish.temperature), facets, wish, seed)


def about(ignited: Sequence[Entry], belief: Floats, wanted: Hypothesising, seed: int) -> Drawn:
    """Different hypotheses about what IGNITED, under a belief (12,)."""
    causes = Facet(
        "cause",
        tuple(_named(entry) for entry in ignited),
        tuple(np.log([max(entry.salience, TINY) for entry in ignited]).tolist()),
    )
    space = Facets([len(causes.values), len(Situation), len(Action)])
    shares = np.log(np.maximum(situations(belief), TINY))
    good = np.log(
        [[max(CHANCES[action][place][0], FEWEST_GOOD) for action in Action] for place in Situation]
    )
    weights = np.array(causes.weights)

    def reward(ends: Integers) -> Floats:
        cause, situation, action = (ends - 1).T
        logs: Floats = weights[cause] + shares[situation] + good[situation, action]
        return logs

    names = [
        causes,
        Facet("situation", tuple(one.name.lower() for one in Situation), ()),
        Facet("action", tuple(one.name.lower() for one in Action), ()),
    ]
    return _sampled(exact(space, reward, wanted.temperature), names, Wish(wanted.count), seed)


def _named(entry: Entry) -> str:
    content = entry.item.content
    return content.text if isinstance(content, Content) else str(entry.item.sequence)


def _sampled(flow: Flow, facets: Sequence[Facet], wish: Wish, seed: int) -> Drawn:
    draw = distinct if wish.is_distinct else independent
    numbers = draw(flow.target, wish.count, seed)
    rows = flow.space.coordinates(numbers) - 1
    texts = tuple(
        tuple(facet.values[value] for facet, value in zip(facets, row, strict=True))
        for row in rows.tolist()
    )
    judged = None if wish.is_distinct else diversity(numbers, flow.target)
    unique = len(texts) if judged is None else judged.unique
    return Drawn(texts, flow.log_z, unique, expected_unique(flow.target, wish.count), judged)


def _refuse(wish: Wish) -> None:
    if wish.count < 1:
        raise Refusal("at least one hypothesis must be asked for")
    if wish.count > MOST:
        raise TooLarge("hypotheses", wish.count, MOST)
