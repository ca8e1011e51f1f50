"""What is read off the parts when somebody asks for the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass

from emily_runtime.breaker import Breaker, State
from emily_runtime.memory.store import Store
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.process import resident
from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.supervise import Supervisor
from emily_runtime.providers.link import Tally
from emily_runtime.providers.spending import DOLLAR

OPENNESS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


@dataclass(frozen=True)
class Dashboard:
    """Parts that keep their own count, and the metrics that it is handed over to."""

    metrics: Metrics
    bus: Bus
    supervisor: Supervisor
    store: Store
    breakers: Mapping[str, Breaker]
    tallies: Mapping[str, Tally]
    """By provider."""

    async def refresh(self) -> None:
        """Hand over what stands now."""
        self._bus()
        self._outside()
        await self._memory()
        self.metrics.gauge("emily_rss_bytes").set(resident())
        for one in self.supervisor.health():
            self.metrics.total("emily_restarts_total", one.name, value=one.restarts)

    def _bus(self) -> None:
        metrics, bus = self.metrics, self.bus
        metrics.total("emily_bus_published_total", value=bus.published)
        metrics.total("emily_bus_lost_total", value=bus.lost())
        metrics.gauge("emily_bus_occupancy").set(bus.occupancy())
        readers = bus.readers()
        for name in {reader.name for reader in readers}:
            lags = [reader.lag for reader in readers if reader.name == name]
            metrics.gauge("emily_bus_reader_lag", name).set(max(lags))

    def _outside(self) -> None:
        """What goes over the network, or would."""
        total = self.metrics.total
        for name, breaker in self.breakers.items():
            self.metrics.gauge("emily_breaker_state", name).set(OPENNESS[breaker.state])
            total("emily_breaker_trips_total", name, value=breaker.trips)
        for name, tally in self.tallies.items():
            outcomes = {
                "answered": tally.answered,
                "degraded": tally.degraded,
                "failed": tally.failed,
            }
            for outcome, count in outcomes.items():
                total("emily_llm_requests_total", name, outcome, value=count)
            total("emily_llm_tokens_total", name, "in", value=tally.input_tokens)
            total("emily_llm_tokens_total", name, "out", value=tally.output_tokens)
            total("emily_llm_cost_dollars_total", name, value=tally.microdollars / DOLLAR)

    async def _memory(self) -> None:
        gauge, health = self.metrics.gauge, await self.store.health()
        gauge("emily_memory_up").set(health.well)
        gauge("emily_memory_rows").set(health.rows)
        gauge("emily_memory_compressed_ratio").set(health.compressed)
