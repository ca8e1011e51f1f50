"""From the state of the tiers to what is answered about it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from emily_runtime.config.sections import Flag
from emily_runtime.mind.cycle import Arrival, Choice, Mind
from emily_runtime.mind.hypotheses import Drawn
from emily_runtime.mind.settings import Settings
from emily_runtime.mind.situation import Action, Situation, situations
from emily_runtime.mind.stimulus import Content
from emily_runtime.mind.stream import Turn
from emily_runtime.mind.structs import (
    Attention,
    Fired,
    FlagView,
    Held,
    Hypotheses,
    Ignited,
    Plan,
    SubstrateView,
    Transmitter,
    Weighed,
    WorkspaceView,
)
from emily_runtime.mind.wishes import Wish
from emily_runtime.tiers.alpha import Firing
from emily_runtime.tiers.substrate import TRANSMITTERS
from emily_runtime.tiers.workspace import Entry


def firing(passed: Sequence[Firing]) -> list[Fired]:
    """Signals in their firing order."""
    return [Fired(one.place, one.output, one.delay * 1000) for one in passed]


def attention(arrival: Arrival) -> Attention:
    """What the gate made of a stimulus."""
    return Attention(firing(arrival.firing), arrival.phase, arrival.gain, arrival.is_reset)


def held(entry: Entry) -> Held:
    """A content of the workspace."""
    item, content = entry.item, entry.item.content
    kind, text = (content.kind, content.text) if isinstance(content, Content) else ("", "")
    return Held(item.sequence, item.source, kind, text, entry.salience, entry.waited)


def broadcast(turn: Turn) -> list[tuple[Ignited, str]]:
    """What ignited in a cycle, most salient first, each with its trace."""
    entries = {entry.item.sequence: entry for entry in turn.mind.workspace.ignited}
    told = []
    for item in turn.thought.broadcast:
        one = held(entries[item.sequence])
        trace = item.content.trace if isinstance(item.content, Content) else ""
        words = (one.source, one.kind, one.text, one.salience)
        told.append((Ignited(turn.number, one.item, *words), trace))
    return told


def workspace(settings: Settings, mind: Mind) -> WorkspaceView:
    """What everybody knows now."""
    space, ignition = mind.workspace, settings.workspace.ignition
    return WorkspaceView(
        cycle=space.cycle,
        capacity=settings.alpha.capacity,
        ignited=[held(entry) for entry in space.ignited],
        preconscious=[held(entry) for entry in space.preconscious],
        habituated=len(space.habits),
        on=ignition.on,
        off=ignition.off,
    )


def substrate(mind: Mind) -> SubstrateView:
    """The five levels, and what they set."""
    levels, setting = mind.body.levels, mind.setting
    rows = zip(
        TRANSMITTERS,
        levels.shown.tolist(),
        levels.setpoint.tolist(),
        levels.deviation.tolist(),
        strict=True,
    )
    return SubstrateView(
        transmitters=[Transmitter(*row) for row in rows],
        precision=setting.precision,
        gain=setting.gain,
        horizon=setting.horizon,
        trust=setting.trust,
        shed=setting.shed,
    )


def plan(settings: Settings, choice: Choice) -> Plan:
    """What was weighed, and what came out."""
    decision = choice.decision
    shares = decision.action_probabilities.tolist()
    beliefs = situations(choice.belief).tolist()
    return Plan(
        action=choice.action.name.lower(),
        actions=[Weighed(one.name.lower(), shares[one]) for one in Action],
        efe_nats=float(decision.posterior @ decision.free_energy),
        efe_score=decision.efe_score,
        entropy=decision.entropy,
        horizon=choice.horizon,
        precision=choice.precision,
        policies=len(settings.policies[choice.horizon - 1].actions),
        situations={one.name.lower(): beliefs[one] for one in Situation},
        surprise=choice.surprise,
    )


def hypotheses(drawn: Drawn, names: Sequence[str], wish: Wish) -> Hypotheses:
    """What was drawn, beside what was to be expected."""
    judged = drawn.diversity
    return Hypotheses(
        facets=list(names),
        hypotheses=[list(one) for one in drawn.hypotheses],
        log_z=drawn.log_z,
        unique=drawn.unique,
        expected_unique=drawn.expected_unique,
        mode="distinct" if wish.is_distinct else "independent",
        flow="exact" if drawn.loss is None else "trained",
        total_variation=drawn.total_variation,
        loss=drawn.loss,
        alarms=[alarm.value for alarm in judged.alarms] if judged else [],
    )


def flag(name: str, given: Flag, wall: float) -> FlagView:
    """A flag at a moment in seconds since the epoch."""
    since = date.fromisoformat(given.since) if given.since else None
    age = (datetime.fromtimestamp(wall, UTC).date() - since).days if since else None
    return FlagView(
        name, given.share, list(given.identities), given.killed, given.owner, given.since, age
    )
