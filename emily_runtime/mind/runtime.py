"""The one place where all parts meet: tiers, bus, memory, language models, flags and metrics."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import randbits, token_hex
from time import perf_counter
from types import MappingProxyType
from typing import NamedTuple

import numpy
from prometheus_client import Histogram

from emily_runtime import __version__
from emily_runtime.breaker import Breaker
from emily_runtime.config import Config, reloaded
from emily_runtime.flags.flags import Flags
from emily_runtime.flags.table import from_config
from emily_runtime.memory.episode import Vector
from emily_runtime.memory.store import Store
from emily_runtime.messages import Message, Refused, say
from emily_runtime.mind import planning, records, relief, views
from emily_runtime.mind.acting import Actor
from emily_runtime.mind.dashboard import Dashboard
from emily_runtime.mind.habits import keep, kept
from emily_runtime.mind.hypotheses import drawn, is_trained, learned
from emily_runtime.mind.ledger import Ledger, Row
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.process import resident
from emily_runtime.mind.purse import Purse
from emily_runtime.mind.recollection import Recollection
from emily_runtime.mind.records import Habits
from emily_runtime.mind.responding import Responder
from emily_runtime.mind.settings import Settings
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.stores import breaker_of, store_of
from emily_runtime.mind.stream import NANOSECONDS, Stream
from emily_runtime.mind.structs import (
    Attention,
    BudgetView,
    FlagView,
    Hypotheses,
    Plan,
    Remembered,
    Reply,
    Status,
    SubstrateView,
    TopologyView,
    WorkspaceView,
)
from emily_runtime.mind.voice import Modelled
from emily_runtime.mind.wiring import Wiring
from emily_runtime.mind.wishes import Facet, Wish
from emily_runtime.nerves.bus import Bus, Subscription
from emily_runtime.nerves.clock import Clock
from emily_runtime.nerves.pressure import Change
from emily_runtime.nerves.psi import SYSTEM, Alarm, Stalls, Watch, read
from emily_runtime.nerves.record import Recorder, record
from emily_runtime.nerves.standby import Standby
from emily_runtime.nerves.supervise import Incident, Supervisor
from emily_runtime.nerves.workers import Workers
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.link import Tally
from emily_runtime.providers.model import Provider
from emily_runtime.providers.setting_up import chain
from emily_runtime.tiers import alpha

LOG = logging.getLogger(__name__)
LATE = 2.0
"""Seconds without a tick after which the mind counts as ill."""
LOOKS = 16
"""Cycles between two looks at memory pressure."""
LEISURE = 3600.0
"""Seconds between two times that memory is tidied, for quicker searching."""
LOOK = 10.0
"""Seconds between two looks at the budget."""
INCIDENT = "incident"
"""The topic of failures."""


class Parts(NamedTuple):
    """What a mind is given from outside."""

    store: Store
    provider: Provider
    budget: Budget
    breakers: Mapping[str, Breaker] = MappingProxyType({})
    """By what they guard: providers, and a memory that is a server."""
    tallies: Mapping[str, Tally] = MappingProxyType({})
    """By provider."""


class Runtime:
    """A running mind; build it with built(), and stop() it in the end."""

    def __init__(self, config: Config, clock: Clock, state: Path, parts: Parts) -> None:
        self.config = config
        self.clock = clock
        self.bus = Bus(clock, config.bus.slots)
        self.metrics = Metrics()
        self._workers = Workers()
        self.memory = Recollection(parts.store, clock, self.metrics, self._workers)
        self.purse = Purse(parts.budget, self.metrics)
        self.supervisor = Supervisor(clock, self._incident)
        self.record_to: Path | None = None
        """Where the run is written down, if it is; to be set before the start."""
        self.watch: Watch | None = None
        """Where systemd tells of memory pressure; without it, the ladder looks by itself."""
        self._state = state
        self._breakers = parts.breakers
        self._stream = Stream(config, self.bus, clock, randbits(48), kept(state))
        self._provider = parts.provider
        voice = Modelled(parts.provider, config)
        self._actor = Actor(self._stream, self.memory, voice, self.metrics)
        self._responder = Responder(self._stream, self.memory, self._actor, self.metrics)
        self.features = Flags(from_config(config.flags))
        self.ladder = relief.ladder(config, self.bus, parts.store, self._stalls, self._stepped)
        self._responder.rung = self.pressure
        self._dashboard = Dashboard(
            self.metrics, self.bus, self.supervisor, parts.store, parts.breakers, parts.tallies
        )
        self._recording: asyncio.Task[None] | None = None
        self._gate = self.metrics.histogram("emily_alpha_gate_seconds")
        self._recovery = self.metrics.histogram("emily_recovery_seconds")
        self._standby = Standby(clock, (drawn.__module__,), recovered=self._recovery.observe)
        self._inference = self.metrics.histogram("active_inference_latency_seconds")
        self.run = token_hex(8)
        """Whose sequence numbers those of the bus are: another one after each start."""
        ledger = Ledger(state, self.run, clock.wall)
        self._wiring = Wiring(config, self.bus, clock, ledger)
        self._lag = 0.0
        self._is_running = False

    @classmethod
    def built(
        cls,
        config: Config,
        clock: Clock,
        state: Path,
        credentials: Mapping[str, str],
    ) -> "Runtime":
        """All parts as the configuration wants them; Refused where they can't work together.

        CREDENTIALS are keys by provider, and the password of postgresql where there is one.
        """
        llm, language = config.llm, config.language
        models, budget = chain(llm, credentials, state, clock, language)
        store = store_of(config, state, clock, credentials.get("postgresql", ""))
        breakers = {link.provider.name: link.breaker for link in models.links}
        breakers |= breaker_of(config.memory.store, store)
        parts = Parts(store, models, budget, breakers, models.tallies)
        return cls(config, clock, state, parts)

    async def start(self) -> None:
        """Open the memory and begin to tick; Refused where memory or recording can't be opened."""
        if self.record_to:
            header = {"version": __version__, "numpy": numpy.__version__}
            recorder = Recorder(self.record_to, header)
            reader = self.bus.subscribe(*records.KINDS, name="recorder")
            self._recording = asyncio.create_task(_written(reader, recorder))
        await self.memory.open()
        self._stream.begin()
        self._is_running = True
        await self.purse.look()
        self.supervisor.start("tick", self._tick)
        self.supervisor.start("purse", self._look)
        self.supervisor.start("tidy", self._tidy)
        self._wiring.start(self.supervisor)
        alarm = self._alarm()
        self.supervisor.start("pressure", lambda: self.ladder.run(alarm))

    async def stop(self) -> None:
        """End what is under way, and keep what outlives a run."""
        self._is_running = False
        await self.supervisor.stop()
        await self._actor.close()
        if self._recording:
            self._recording.cancel()
            await asyncio.gather(self._recording, return_exceptions=True)
        await asyncio.to_thread(keep, self._state, Habits.of(self._stream.mind))
        await self._wiring.stop()
        await self._provider.close()
        await self.memory.store.close()
        self.purse.budget.close()
        self._workers.close()
        await self._standby.stop()

    def reload(self, config: Config) -> tuple[str, ...]:
        """Take over what can be; the settings that wait for a restart. Refused changes nothing."""
        taken, waiting = reloaded(self.config, config)
        self.features.reload(from_config(taken.flags))
        self._stream.reload(taken)
        self.config = taken
        return waiting

    def healthy(self) -> str | None:
        """Why it is not; nothing where it is."""
        if stuck := self.stuck():
            return stuck
        if ill := self.supervisor.given_up():
            return say("EMY-3022", self.config.language, names=", ".join(ill)).text
        return None

    def stuck(self) -> str | None:
        """Why nothing but another process will help; nothing where it goes on."""
        late = self._stream.now() - self._responder.beaten
        if self._is_running and late > LATE:
            return say("EMY-3021", self.config.language, seconds=f"{late:.1f}").text
        return None

    async def stimulate(self, stimulus: Stimulus) -> Reply:
        """What comes of a stimulus; Refused under load, or where memory can't keep it."""
        return await self._responder.respond(stimulus)

    def attend(self, signals: Sequence[float], at: float | None = None) -> Attention:
        """Signals in firing order at the run's present, or at second AT of an undisturbed rhythm.

        It changes nothing. Refusal for a signal that isn't finite.
        """
        begin = perf_counter()
        settings = self._stream.settings
        rhythm = alpha.Rhythm() if at is not None else self._stream.mind.rhythm
        phase = alpha.phase(settings.alpha, rhythm, self._stream.now() if at is None else at)
        fired = alpha.gate(settings.alpha, signals, phase)
        gain = alpha.gain(settings.alpha, phase)
        self._gate.observe(perf_counter() - begin)
        return Attention(views.firing(fired), phase, gain, reset=False)

    async def generate(
        self, facets: Sequence[Facet], wish: Wish, seed: int | None = None
    ) -> Hypotheses:
        """Hypotheses over FACETS; Refusal or TooLarge where they can't be drawn.

        A sampler is trained in a process of its own, which ends with a request that is given up.
        """
        seed = randbits(48) if seed is None else seed
        if is_trained(facets, wish):
            found = await self._standby.call(learned, facets, wish, seed)
        else:
            found = await self._workers.call(drawn, facets, wish, seed)
        shown = views.hypotheses(found, [facet.name for facet in facets], wish)
        self._responder.pulse.drawn(shown)
        return shown

    async def plan(self, wanted: planning.Wanted) -> Plan:
        """The next action in a model; Refusal or TooLarge where it can't be computed."""
        settings = self._stream.settings
        wanted = planning.settled(wanted, self.features)
        return await self._workers.call(_planned, settings, wanted, self._inference)

    async def remember(self, text: str, source: str = "", trace: str = "") -> Remembered:
        """Keep an episode with the present levels; Refused where it can't be kept."""
        affect = self._stream.mind.body.levels.shown.tolist()
        kept = await self.memory.remember(text, affect, trace, source)
        return Remembered(kept.identity, kept.text, 1.0, kept.at, kept.source)

    async def recall(
        self, text: str, vector: Vector | None = None, most: int = 10
    ) -> list[Remembered]:
        """Episodes by text and by vector, best first."""
        found = await self.memory.search(text, vector, most)
        return [
            Remembered(one.identity, one.text, float(score), one.at, one.source)
            for one, score in found
        ]

    def workspace(self) -> WorkspaceView:
        """What everybody knows now."""
        return views.workspace(self._stream.settings, self._stream.mind)

    def substrate(self) -> SubstrateView:
        """The five levels, and what they set."""
        return views.substrate(self._stream.mind)

    def topology(self) -> TopologyView:
        """Who hears whom."""
        return self._wiring.view()

    def budget(self) -> BudgetView:
        """What language models may still cost, as last seen."""
        states = {name: one.state.value for name, one in self._breakers.items()}
        return self.purse.view(self.config.llm.order, states)

    def flags(self) -> list[FlagView]:
        """Features, and for whom they are on."""
        return [views.flag(name, one, self.clock.wall()) for name, one in self.config.flags.items()]

    def status(self) -> Status:
        """How the runtime is."""
        reason = self.healthy()
        return Status(
            version=__version__,
            healthy=reason is None,
            reason=reason or "",
            uptime_seconds=self._stream.now(),
            cycles=self._stream.mind.workspace.cycle,
            stimuli=self._responder.stimuli,
            episodes=self.memory.rows,
            pressure=self.pressure(),
            rss_bytes=resident(),
            loop_lag_seconds=self._lag,
            published=self.bus.published,
            lost=self.bus.lost(),
            memory=self.config.memory.store,
            providers=list(self.config.llm.order),
        )

    def burden(self, pressure: float) -> None:
        """Say for what share of the time work waited for memory (PSI): cortisol's demand."""
        self._responder.measures = self._responder.measures._replace(pressure=pressure)

    def pressure(self) -> int:
        """The rung of the memory-pressure ladder; 0 is none."""
        return self.ladder.level

    async def exposition(self) -> bytes:
        """All metrics as Prometheus reads them."""
        await self._dashboard.refresh()
        self._wiring.show(self.metrics)
        gauge = self.metrics.gauge
        gauge("emily_pressure_level").set(self.pressure())
        for flag in self.features.all.values():
            gauge("emily_flag_share_percent", flag.name).set(flag.share / 100)
        gauge("emily_loop_lag_seconds").set(self._lag)
        gauge("emily_failure_rate").set(self._actor.failures)
        gauge("emily_swarm_agreement").set(self._responder.measures.agreement)
        return self.metrics.text()

    async def _tick(self) -> None:
        """End a cycle at each whole period of the rhythm."""
        period = 1 / self._stream.settings.alpha.frequency
        while True:
            late = self._stream.now() % period
            await self.clock.sleep(period - late)
            due = round(self._stream.now() / period) * period
            self._lag = max(0.0, self._stream.now() - due)
            measures = self._responder.measures
            self._responder.measures = measures._replace(
                wall=self.clock.wall(), budget=self.purse.share()
            )
            turn = self._responder.beat()
            if turn.number % LOOKS == 0 and (stalls := self._stalls()):
                self.burden(stalls.some.avg10 / 100)

    async def _tidy(self) -> None:
        while True:
            with suppress(Refused):  # its health tells; searching is slower until the next time
                await self.memory.store.tidy()
            await self.clock.sleep(LEISURE)

    async def _look(self) -> None:
        while True:
            await self.clock.sleep(LOOK)
            await self.purse.look()

    async def said_since(self, run: str, sequence: int) -> list[Row]:
        """What was said on durable topics after a message of another run, the newest of it."""
        return await self._wiring.said_since(run, sequence)

    def _stalls(self) -> Stalls | None:
        """How long tasks have waited for memory: ours, where systemd says where to look."""
        return self.watch.stalls() if self.watch else read(SYSTEM)

    def _alarm(self) -> Alarm | None:
        if self.watch is None:
            return None
        try:
            return Alarm(self.watch)
        except Refused as refused:  # the ladder looks by itself
            LOG.warning("%s", refused.told(self.config.language))
            return None

    def _stepped(self, change: Change) -> None:
        self.bus.publish(relief.PRESSURE, change)
        _logged(change.code, change.message(self.config.language))

    def _incident(self, incident: Incident) -> None:
        self.bus.publish(INCIDENT, incident)
        if not incident.is_final:
            self._recovery.observe(self.supervisor.recovery_ns / NANOSECONDS)
        _logged(incident.code, incident.message(self.config.language))


def _planned(settings: Settings, wanted: planning.Wanted, took: Histogram) -> Plan:
    with took.time():
        return planning.planned(settings, wanted)


def _logged(code: str, message: Message) -> None:
    LOG.warning("%s: %s; %s", code, *message)


async def _written(reader: Subscription, recorder: Recorder) -> None:
    with recorder:
        await record(reader, recorder)
