"""Tier 2: candidates compete, the winners ignite, and each is broadcast once to everyone.

A global workspace (Baars 1988; Dehaene & Changeux 2005): salience is
|signal| * precision * (1 - habituation) + relevance, ignition has hysteresis, capacity is what the
alpha rhythm allows, and a loser that is strong enough stays preconscious for a few cycles.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import NamedTuple

from emily_runtime.tiers.habituation import Habits, Habituation, Now, broadcast, heard, strength
from emily_runtime.tiers.ignition import Ignition
from emily_runtime.tiers.refusals import Refusal

_new = tuple.__new__  # half the time of Entry(...), which is written in Python
BRIGHTEST = 1.0
"""The salience from which an item fades, however far above it came in."""


@dataclass(frozen=True)
class Rules:
    """The workspace's parameters; Refusal where nothing would ever leave it."""

    ignition: Ignition = field(default_factory=Ignition)
    habituation: Habituation = field(default_factory=Habituation)
    retention: float = 0.7
    """The share of its salience that an ignited item keeps from cycle to cycle."""
    patience: int = 3
    """Cycles that a loser stays preconscious."""

    def __post_init__(self) -> None:
        if not 0 <= self.retention < 1 or self.patience < 0:
            raise Refusal("workspace: 0 <= retention < 1 and patience >= 0 are needed")
        if self.ignition.off <= 0:
            raise Refusal(f"workspace: s_off is {self.ignition.off:.4f}; nothing would fall silent")


class Item(NamedTuple):
    """A content that asks for attention."""

    sequence: int
    """Its place in the order of arrival; unique, and the older one wins a tie."""
    source: str
    signal: float
    relevance: float = 0.0
    """To the present goal, added to the salience."""
    content: object = None


class Entry(NamedTuple):
    """An item and where it stands."""

    item: Item
    salience: float
    waited: int = 0
    """Cycles as a loser."""


@dataclass(frozen=True)
class Workspace:
    """The state between two cycles."""

    cycle: int = 0
    newest: int = -1
    """The highest sequence that was ever admitted; what comes later with a lower one is ignored."""
    ignited: tuple[Entry, ...] = ()
    """What everybody knows now, most salient first; never more than the capacity."""
    preconscious: tuple[Entry, ...] = ()
    habits: Habits = field(default_factory=dict)


class Moment(NamedTuple):
    """What the other tiers say about this cycle."""

    time: float
    """Seconds."""
    capacity: int
    precision: float = 1.0
    """Factor of every signal, set by norepinephrine."""


class Outcome(NamedTuple):
    """A cycle's result."""

    state: Workspace
    broadcast: tuple[Item, ...]
    """What ignited in this cycle, most salient first: each content once, to every subscriber."""
    ignored: int
    """Candidates that came twice, too late, or with a signal that is no finite number."""


def cycle(rules: Rules, state: Workspace, candidates: Sequence[Item], moment: Moment) -> Outcome:
    """One cycle: fade, compete, ignite, broadcast, habituate."""
    now = Now(moment.time, state.cycle)
    fresh = _admitted(state, candidates)
    rivals = _rivals(rules, state, fresh, moment)
    standing = _faded(rules, state.ignited)
    ignited = [rival for rival in rivals if rival.salience >= rules.ignition.on]
    winners = tuple(sorted([*standing, *ignited], key=_rank)[: moment.capacity])
    old = {entry.item.sequence for entry in standing}
    told = tuple(entry.item for entry in winners if entry.item.sequence not in old)
    habits = heard(rules.habituation, state.habits, [item.source for item in fresh], now)
    after = Workspace(
        cycle=state.cycle + 1,
        newest=max((item.sequence for item in fresh), default=state.newest),
        ignited=winners,
        preconscious=_waiting(rules, rivals, told),
        habits=broadcast(rules.habituation, habits, [item.source for item in told], now),
    )
    return Outcome(after, told, len(candidates) - len(fresh))


def _rank(entry: Entry) -> tuple[float, int]:
    return (-entry.salience, entry.item.sequence)


def _admitted(state: Workspace, candidates: Iterable[Item]) -> list[Item]:
    """Candidates that weren't seen before, so that none is broadcast twice."""
    newest = state.newest
    fresh = {item[0]: item for item in candidates if item[0] > newest}
    return [item for item in fresh.values() if math.isfinite(item.signal + item.relevance)]


def _rivals(rules: Rules, state: Workspace, fresh: Iterable[Item], moment: Moment) -> list[Entry]:
    """Those above s_off under the present habituation: the rest can neither ignite nor wait."""
    now, off = Now(moment.time, state.cycle), rules.ignition.off
    shares: dict[str, float] = {}  # 1 - h; many items may come of one source
    rivals = []
    waiting = [(item, waited) for item, _, waited in state.preconscious]
    for item, waited in chain(waiting, zip(fresh, repeat(0))):
        _, source, signal, relevance, _ = item
        if source not in shares:
            shares[source] = 1.0 - strength(rules.habituation, state.habits, source, now)
        salience = abs(signal) * moment.precision * shares[source] + relevance
        if off < salience < math.inf:
            rivals.append(_new(Entry, (item, salience, waited)))
    return rivals


def _faded(rules: Rules, ignited: Iterable[Entry]) -> list[Entry]:
    """Ignited items that stay so: hysteresis lets them fade from s_on down to s_off."""
    faded = (
        Entry(entry.item, min(entry.salience, BRIGHTEST) * rules.retention, entry.waited)
        for entry in ignited
    )
    return [entry for entry in faded if entry.salience >= rules.ignition.off]


def _waiting(rules: Rules, rivals: Iterable[Entry], told: Iterable[Item]) -> tuple[Entry, ...]:
    """Losers above s_off that have patience left."""
    gone = {item.sequence for item in told}
    return tuple(
        [
            _new(Entry, (item, salience, waited + 1))
            for item, salience, waited in rivals
            if waited < rules.patience and item[0] not in gone
        ]
    )
