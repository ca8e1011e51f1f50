"""The tiers as one: state and input in, state and outcome out; time and seed are inputs, too.

A stimulus that no reflex answers passes the alpha gate as it arrives, together with what memory
adds to it, and waits. Each alpha cycle ends with a competition: what ignites is broadcast once, the
belief is updated, and an action follows from the expected free energy. What came of the action
changes the substrate, whose levels set precision, gain, horizon, trust and how much work is shed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from emily_runtime.mind.body import STREAK, Body, Echo, Measures, demand, faded, lived
from emily_runtime.mind.settings import Settings
from emily_runtime.mind.situation import UNSEEN, Action, Result, Situation, outcome
from emily_runtime.mind.stimulus import Content, Recalled, Stimulus
from emily_runtime.tiers import alpha, workspace
from emily_runtime.tiers.alpha import Firing, Rhythm
from emily_runtime.tiers.arrays import Floats, generator
from emily_runtime.tiers.inference.expected import Decision, decide
from emily_runtime.tiers.inference.model import perceive, predict
from emily_runtime.tiers.modulation import Modulation, modulation
from emily_runtime.tiers.workspace import Item, Outcome, Workspace

_new = tuple.__new__  # half the time of Item(...), which is written in Python


class Instant(NamedTuple):
    """When something happens, and the seed of what is drawn at it."""

    time: float
    """Seconds on a clock that never jumps."""
    seed: int = 0


class Heard(NamedTuple):
    """A stimulus, and what memory knows about it."""

    stimulus: Stimulus
    recalled: tuple[Recalled, ...] = ()
    trace: str = ""


@dataclass(frozen=True, eq=False)
class Mind:
    """The state of all tiers between two inputs."""

    belief: Floats
    """(12,) over the joint states of the situation's model."""
    rhythm: Rhythm = field(default_factory=Rhythm)
    body: Body = field(default_factory=Body)
    echo: Echo = field(default_factory=Echo)
    workspace: Workspace = field(default_factory=Workspace)
    waiting: tuple[Item, ...] = ()
    """What has passed the gate since the last cycle."""
    arrived: int = 0
    """Items so far; the next one's sequence."""
    looked: int = 0
    """How often in a row the choice was to look."""
    owed: tuple[Item, ...] = ()
    """What was broadcast while tier 3 rested, and is still to be thought about."""
    is_reminded: bool = False
    """Whether memory has answered since, so that a choice is due."""
    setting: Modulation = field(default_factory=lambda: modulation(Body().levels.shown))
    """What the levels set at the last tick."""


class Arrival(NamedTuple):
    """What the gate made of a stimulus."""

    firing: tuple[Firing, ...]
    phase: float
    """Radians."""
    gain: float
    is_reset: bool
    """Whether it reset the phase, and so ends the cycle at once."""
    is_shed: bool
    """Whether it was turned away because of load."""
    item: int
    """Its sequence in the workspace."""


class Choice(NamedTuple):
    """What is to be done about what was broadcast."""

    action: Action
    decision: Decision
    belief: Floats
    """(12,)"""
    surprise: float
    """Nats, of all that was broadcast."""
    precision: float
    horizon: int
    hoped: float
    """The expected worth of the action's result, from -1 to 1."""
    about: tuple[Item, ...]
    """What was thought about, most salient first."""


class Deed(NamedTuple):
    """An action that was done, and what came of it."""

    action: Action
    result: Result
    belief: tuple[float, ...]
    """(12,), when it was chosen."""
    hoped: float


class Thought(NamedTuple):
    """What one cycle brought."""

    broadcast: tuple[Item, ...]
    ignored: int
    ticks: int
    """Steps of the substrate that were due."""
    choice: Choice | None
    """None where nothing ignited and memory was not asked, or where tier 3 rested."""
    is_owed: bool = False
    """Whether tier 3 rested, and thinks about this in the next cycle that is its turn."""


def newborn(settings: Settings) -> Mind:
    """The state before any input."""
    return Mind(settings.model.prior)


def arrive(settings: Settings, mind: Mind, heard: Heard, now: Instant) -> tuple[Mind, Arrival]:
    """Let a stimulus and its memories through the gate; they wait for the end of the cycle."""
    stimulus, setting = heard.stimulus, mind.setting
    salience = stimulus.strength * setting.gain
    rhythm = alpha.reset(settings.alpha, mind.rhythm, now.time, salience)
    phase = alpha.phase(settings.alpha, rhythm, now.time)
    gain = alpha.gain(settings.alpha, phase)
    firing = tuple(alpha.gate(settings.alpha, stimulus.drives, phase))
    is_reset = rhythm is not mind.rhythm
    if setting.shed and generator(now.seed).random() < setting.shed:
        return mind, Arrival(firing, phase, gain, is_reset=False, is_shed=True, item=-1)
    items = _items(settings, mind.arrived, heard, (firing, gain))
    after = replace(
        mind,
        rhythm=rhythm,
        waiting=(*mind.waiting, *items),
        arrived=mind.arrived + len(items),
    )
    return after, Arrival(firing, phase, gain, is_reset, is_shed=False, item=mind.arrived)


def remind(settings: Settings, mind: Mind, recalled: Sequence[Recalled], time: float) -> Mind:
    """Let what memory was asked for through the gate."""
    gain = alpha.gain(settings.alpha, alpha.phase(settings.alpha, mind.rhythm, time))
    items = [
        item._replace(content=content._replace(evidence=_evidence(settings, content.text)))
        for item in _memories(mind.arrived, recalled, gain)
        if isinstance(content := item.content, Content)
    ]
    return replace(
        mind,
        waiting=(*mind.waiting, *items),
        arrived=mind.arrived + len(items),
        is_reminded=True,
    )


def _items(
    settings: Settings, first: int, heard: Heard, passed: tuple[tuple[Firing, ...], float]
) -> list[Item]:
    """The stimulus by its strongest firing, and the memories."""
    stimulus, (firing, gain) = heard.stimulus, passed
    evidence = settings.reading.evidence(stimulus.text, stimulus.signals)
    content = Content("stimulus", stimulus.text, evidence, heard.trace)
    item = Item(first, stimulus.origin, firing[0].output, 0.0, content)
    return [item, *_memories(first + 1, heard.recalled, gain)]


def _evidence(settings: Settings, text: str) -> int:
    """Of a memory that was looked for: what says nothing of trouble or questions says nothing."""
    evidence = settings.reading.evidence(text)
    return UNSEEN if evidence == Situation.CALM + 1 else evidence


def _memories(first: int, recalled: Sequence[Recalled], gain: float) -> list[Item]:
    """Memories with the root of their cosine as signal: a cosine of 1/4 gives 1/2."""
    return [
        _new(
            Item,
            (
                place,
                "memory:" + identity,
                math.sqrt(score) * gain if score > 0 else 0.0,
                0.0,
                _new(Content, ("memory", text, UNSEEN, identity)),
            ),
        )
        for place, (identity, text, score) in enumerate(recalled, first)
    ]


class Scene(NamedTuple):
    """What tier 3 finds in a cycle: the substrate as it is now, and what was broadcast."""

    ticks: int
    echo: Echo
    body: Body
    setting: Modulation
    contest: Outcome


def cycle(settings: Settings, mind: Mind, measures: Measures, now: Instant) -> tuple[Mind, Thought]:
    """End a cycle: the substrate's due ticks, then competition, broadcast, belief and choice."""
    return conclude(settings, mind, compete(settings, mind, measures, now), measures.thrift)


def compete(settings: Settings, mind: Mind, measures: Measures, now: Instant) -> Scene:
    """The substrate's due ticks, then who ignites and is broadcast."""
    ticks = max(0, int(now.time * settings.alpha.frequency) - mind.body.tick)
    echo, body, setting = mind.echo, mind.body, mind.setting
    if ticks:
        echo = faded(echo, ticks)
        body = lived(body, settings.pace, ticks, demand(measures, echo), measures.wall)
        setting = modulation(body.levels.shown)
    moment = workspace.Moment(now.time, settings.alpha.capacity, setting.gain)
    contest = workspace.cycle(settings.workspace, mind.workspace, mind.waiting, moment)
    return Scene(ticks, echo, body, setting, contest)


def conclude(settings: Settings, mind: Mind, scene: Scene, thrift: int) -> tuple[Mind, Thought]:
    """Belief and choice about what was broadcast, or a rest where THRIFT wants one."""
    ticks, echo, body, setting, contest = scene
    choice, belief, looked = None, mind.belief, mind.looked
    about = (*mind.owed, *contest.broadcast)
    is_wanted = bool(about or mind.is_reminded)
    is_its_turn = thrift > 0 and contest.state.cycle % thrift == 0
    is_owed = is_wanted and thrift > 0 and not is_its_turn
    if is_wanted and is_its_turn:
        choice = _chosen(settings, mind, about, setting)
        echo = echo._replace(surprise=echo.surprise + choice.surprise)
        # Whatever is done but a look closes the matter: the next one begins from the prior.
        is_open = choice.action is Action.LOOK
        belief, looked = (choice.belief, looked + 1) if is_open else (settings.model.prior, 0)
    elif ticks:
        belief = predict(settings.model, belief, Action.WAIT)
    after = Mind(
        belief=belief,
        rhythm=mind.rhythm,
        body=body,
        echo=echo,
        workspace=contest.state,
        arrived=mind.arrived,
        looked=looked,
        owed=about if is_owed else (),
        is_reminded=is_owed and mind.is_reminded,
        setting=setting,
    )
    return after, Thought(contest.broadcast, contest.ignored, ticks, choice, is_owed)


def _chosen(settings: Settings, mind: Mind, about: tuple[Item, ...], setting: Modulation) -> Choice:
    """Look at each content in turn, then weigh all policies as far as the horizon."""
    surprise = 0.0
    belief = predict(settings.model, mind.belief, Action.LOOK)
    for item in about:
        content = item.content
        if isinstance(content, Content) and content.evidence != UNSEEN:
            seen = outcome(content.evidence, Result.NEUTRAL)
            belief, nats = perceive(settings.model, belief, seen)
            surprise += nats
    horizon = min(setting.horizon, settings.inference.horizon)
    precision = settings.inference.precision * setting.precision
    decision = decide(settings.model, settings.policies[horizon - 1], belief, precision)
    action = Action(decision.action)
    if action is Action.LOOK and mind.looked >= settings.inference.looks:
        others = decision.action_probabilities.copy()
        others[Action.LOOK] = -1.0
        action = Action(int(others.argmax()))
    hoped = float(settings.worths[action] @ belief)
    return Choice(action, decision, belief, surprise, precision, horizon, hoped, about)


def settle(settings: Settings, mind: Mind, deed: Deed) -> Mind:
    """What came of a deed: how surprising it was, and how far from what had been hoped.

    Refusal for a result that the action can't have; a look has none: who looks goes on.
    """
    after = predict(settings.model, np.array(deed.belief), deed.action)
    _, nats = perceive(settings.model, after, outcome(UNSEEN, deed.result))
    error = mind.echo.error + settings.worth(deed.result) - deed.hoped
    success = mind.echo.success
    if deed.result is not Result.NEUTRAL:
        success += STREAK * ((deed.result is Result.GOOD) - success)
    echo = Echo(max(-1.0, min(1.0, error)), mind.echo.surprise + nats, success)
    return replace(mind, echo=echo)
