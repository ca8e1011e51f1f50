"""From a stimulus to the reply: a reflex at once, or a place in the cycle and what comes of it."""

from collections.abc import Callable
from secrets import token_hex
from time import perf_counter

from emily_runtime.messages import Refused, say
from emily_runtime.mind import views
from emily_runtime.mind.acting import Actor, Done
from emily_runtime.mind.body import Measures
from emily_runtime.mind.cycle import Arrival, Heard
from emily_runtime.mind.hypotheses import about
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.pulse import Pulse
from emily_runtime.mind.recollection import Recollection
from emily_runtime.mind.relief import REFUSES, THRIFT
from emily_runtime.mind.stimulus import Recalled, Stimulus
from emily_runtime.mind.stream import Stream, Turn
from emily_runtime.mind.structs import Beat, Remembered, Reply, Standing
from emily_runtime.mind.wishes import Wish
from emily_runtime.tiers.reflex import Rule, match

STIMULUS, REFLEX, BROADCAST, BEAT = "stimulus", "reflex", "broadcast", "beat"
"""Topics of the bus."""
FACETS = ("cause", "situation", "action")


class Responder:
    """Answers stimuli, and ends cycles."""

    def __init__(
        self, stream: Stream, memory: Recollection, actor: Actor, metrics: Metrics
    ) -> None:
        self.stimuli = 0
        self.measures = Measures()
        self.rung: Callable[[], int] = int
        """The rung of the memory-pressure ladder."""
        self.beaten = stream.now()
        """When the last cycle ended, in the stream's seconds."""
        self._stream = stream
        self._memory = memory
        self._actor = actor
        self._metrics = metrics
        self.pulse = Pulse(metrics)
        self._reflex = metrics.histogram("emily_reflex_latency_seconds")
        self._gate = metrics.histogram("emily_alpha_gate_seconds")
        self._broadcast = metrics.histogram("emily_workspace_broadcast_seconds")

    def beat(self) -> Turn:
        """End a cycle, show it, and begin what it decides for."""
        stream, begin = self._stream, perf_counter()
        thrift = THRIFT[self.rung()]
        turn = stream.beat(self.measures._replace(errors=self._actor.failures, thrift=thrift))
        stream.bus.publish_many(BROADCAST, views.broadcast(turn))
        self._broadcast.observe(perf_counter() - begin)
        self.beaten = stream.now()
        self.pulse.beat(stream.settings, turn, self.beaten)
        stream.bus.publish(BEAT, _beat(turn, self.beaten))
        self._actor.begin(turn, self.beat)
        return turn

    async def respond(self, stimulus: Stimulus) -> Reply:
        """What comes of a stimulus; Refused under load, or where memory can't keep it."""
        begin, trace = perf_counter(), token_hex(8)
        self.stimuli += 1
        self._stream.bus.publish(STIMULUS, stimulus, trace)
        rule = match(self._stream.settings.reflexes, stimulus.text, stimulus.strength)
        if rule:
            return self._reflexively(rule, trace, begin)
        if self.rung() >= REFUSES:
            raise Refused("EMY-2015", step=self.rung())
        settings = self._stream.config.memory
        recalled = await self._memory.come_to_mind(stimulus.text, settings.recall)
        arrival = self._heard(stimulus, recalled, trace)
        waiting = self._stream.next_turn()
        if arrival.is_reset:
            self.beat()
        episode = await self._remembered(stimulus, trace)
        turn = await waiting
        standing = _standing(turn, arrival)
        done = await self._done(turn) if standing == "ignited" else None
        self._metrics.count("emily_stimuli_total", standing)
        return self._reply(trace, begin, (arrival, standing, recalled, episode), done)

    async def _done(self, turn: Turn) -> Done | None:
        """What was done about it, once tier 3 has thought."""
        decided = await self._stream.decided(turn)
        return await self._actor.deed(decided.number)

    def _reflexively(self, rule: Rule, trace: str, begin: float) -> Reply:
        took = perf_counter() - begin
        self._reflex.observe(took)
        self._metrics.count("emily_reflex_hits_total", rule.name)
        self._metrics.count("emily_stimuli_total", "reflex")
        reply = Reply(trace, "reflex", "reflex", rule.reply, took * 1000, rule.name)
        self._stream.bus.publish(REFLEX, reply, trace)
        return reply

    def _heard(self, stimulus: Stimulus, recalled: tuple[Recalled, ...], trace: str) -> Arrival:
        begin = perf_counter()
        arrival = self._stream.hear(Heard(stimulus, recalled, trace))
        self._gate.observe(perf_counter() - begin)
        if arrival.is_shed:
            self._metrics.count("emily_stimuli_total", "shed")
            share = f"{self._stream.mind.setting.shed:.0%}"
            raise Refused("EMY-3020", share=share, seconds=1)
        if arrival.is_reset:
            self._metrics.count("emily_alpha_phase_resets_total")
        return arrival

    async def _remembered(self, stimulus: Stimulus, trace: str) -> str:
        if not stimulus.text:
            return ""
        affect = self._stream.mind.body.levels.shown.tolist()
        episode = await self._memory.remember(stimulus.text, affect, trace, stimulus.source)
        return episode.identity

    def _reply(
        self,
        trace: str,
        begin: float,
        came: tuple[Arrival, Standing, tuple[Recalled, ...], str],
        done: Done | None,
    ) -> Reply:
        arrival, standing, recalled, episode = came
        stream = self._stream
        settings, mind = stream.settings, done.turn.mind if done else stream.mind
        reply = Reply(
            trace=trace,
            tier="inference" if done else "workspace",
            action=done.action.name.lower() if done else "",
            words=done.spoken.words if done else "",
            latency_ms=0.0,
            attention=views.attention(arrival),
            standing=standing,
            recalled=[Remembered(*one) for one in recalled],
            workspace=views.workspace(settings, mind),
            substrate=views.substrate(mind),
            episode=episode,
        )
        if standing == "ignited" and not done:  # memory has become short meanwhile
            reply.degraded = True
            reply.why = say("EMY-2015", stream.config.language, step=self.rung()).text
        if done and (choice := done.turn.thought.choice):
            reply.plan = views.plan(settings, choice)
            # While memory was asked, everything may have fallen silent.
            if ignited := mind.workspace.ignited:
                wish = Wish(settings.gflownet.count, settings.gflownet.temperature)
                drawn = about(ignited, choice.belief, wish, done.turn.seed)
                reply.hypotheses = views.hypotheses(drawn, FACETS, wish)
                self.pulse.drawn(reply.hypotheses)
            reply.provider, reply.why = done.spoken.provider, done.spoken.why
            reply.cost_microdollars = done.spoken.microdollars
            reply.degraded = bool(done.spoken.why)
        reply.latency_ms = (perf_counter() - begin) * 1000
        return reply


def _standing(turn: Turn, arrival: Arrival) -> Standing:
    space = turn.mind.workspace
    if any(entry.item.sequence == arrival.item for entry in space.ignited):
        return "ignited"
    if any(entry.item.sequence == arrival.item for entry in space.preconscious):
        return "preconscious"
    return "faded"


def _beat(turn: Turn, time: float) -> Beat:
    choice, space = turn.thought.choice, turn.mind.workspace
    return Beat(
        cycle=turn.number,
        time=time,
        levels=turn.mind.body.levels.shown.tolist(),
        ignited=len(space.ignited),
        preconscious=len(space.preconscious),
        broadcast=len(turn.thought.broadcast),
        action=choice.action.name.lower() if choice else "",
        efe_score=choice.decision.efe_score if choice else None,
    )
