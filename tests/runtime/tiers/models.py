"""The models that several tests ask about: the T-maze of the literature, and the hypergrid."""

import math
from typing import NamedTuple

import numpy as np

from emily_runtime.tiers.arrays import Floats, Integers
from emily_runtime.tiers.gflownet.space import Reward
from emily_runtime.tiers.inference.model import Model, joint

CENTRE, LEFT, RIGHT, CUE = range(4)
RELIABILITY = 0.98
LOG_Z = math.log(12 * (1 + 2 * math.cosh(3)))
"""Of the T-maze's preferences: 12 combinations of place and cue, times e^0 + e^3 + e^-3."""


class Parts(NamedTuple):
    """A, B, C and D by modality and by factor."""

    likelihoods: list[Floats]
    transitions: list[Floats]
    likes: list[Floats]
    start: list[Floats]


def t_maze(*, arms: str = "open") -> Model:
    """Four places, and a reward in one arm or the other; the cue tells in which.

    Outcomes and states are numbered as by ravel_multi_index.
    """
    return joint(*t_maze_parts(arms))


def t_maze_parts(arms: str) -> Parts:
    """ARMS are "open" or "absorbing".

    Modalities: place (4), reward (none, win, loss), cue (none, left, right); factors: place (4),
    context (2).
    """
    place, reward, cue = np.zeros((4, 4, 2)), np.zeros((3, 4, 2)), np.zeros((3, 4, 2))
    place[range(4), range(4)] = 1
    reward[0, (CENTRE, CUE)] = 1
    cue[0, :CUE] = 1
    for context, arm in enumerate((LEFT, RIGHT)):
        cue[1 + context, CUE, context] = 1
        reward[:, arm, context] = 0, RELIABILITY, 1 - RELIABILITY
        reward[:, arm, 1 - context] = 0, 1 - RELIABILITY, RELIABILITY
    going = np.zeros((4, 4, 4))
    for here in range(4):
        for action in range(4):
            stays = arms == "absorbing" and here in (LEFT, RIGHT)
            going[action, here if stays else action, here] = 1
    context_stays = np.eye(2)[np.newaxis]
    likes = [np.zeros(4), np.array([0.0, 3.0, -3.0]), np.zeros(3)]
    start = [np.eye(4)[CENTRE], np.array([0.5, 0.5])]
    return Parts([place, reward, cue], [going, context_stays], likes, start)


def outcome(place: int, reward: int, cue: int) -> int:
    """The number of a joint outcome of the T-maze."""
    return int(np.ravel_multi_index((place, reward, cue), (4, 3, 3)))


def hypergrid(shape: tuple[int, ...], floor: float = 0.1) -> Reward:
    """R0 = FLOOR, R1 = 0.5, R2 = 2 as in Bengio et al. (2021): modes near the corners."""
    ends = np.array(shape) - 1

    def log_reward(coordinates: Integers) -> Floats:
        away = np.abs(coordinates / ends - 0.5)
        outer = (away > 0.25).all(axis=1)
        ring = ((away > 0.3) & (away < 0.4)).all(axis=1)
        logs: Floats = np.log(floor + 0.5 * outer + 2.0 * ring)
        return logs

    return log_reward


def by_facet(coordinates: Integers) -> Floats:
    """A reward of hypotheses in which facets do not act alone."""
    logs: Floats = np.sin(coordinates.sum(axis=1)) + 0.3 * np.cos(3 * coordinates[:, 0])
    return logs


def random_model(seed: int, states: int = 5, outcomes: int = 4, actions: int = 3) -> Model:
    """Any model."""
    random = np.random.default_rng(seed)
    likelihood = random.dirichlet(np.ones(outcomes) * 0.5, states).T
    transition = random.dirichlet(np.ones(states) * 0.5, (actions, states)).transpose(0, 2, 1)
    prior = random.dirichlet(np.ones(states))
    return Model(likelihood, transition, random.normal(size=outcomes), prior)
