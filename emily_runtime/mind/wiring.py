"""Who hears whom, the chains that run on the bus, and the ledger that they fill."""

import logging
from contextlib import suppress

from emily_runtime.config import Config
from emily_runtime.messages import Refused
from emily_runtime.mind import anatomy
from emily_runtime.mind.ledger import Ledger, Row
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.structs import TopologyView
from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.clock import Clock
from emily_runtime.nerves.fusion import Carries, Stage
from emily_runtime.nerves.pipeline import Unit, overhead
from emily_runtime.nerves.supervise import Supervisor

LOG = logging.getLogger(__name__)
OFTEN = 0.5
"""Seconds between two writes of durable topics."""
EARLIER = 1024
"""Messages of an earlier run that are told to who resumes."""


class Wiring:
    """The topology of one mind, at work."""

    def __init__(self, config: Config, bus: Bus, clock: Clock, ledger: Ledger) -> None:
        self.ledger = ledger
        self._config = config
        self._bus = bus
        self._clock = clock
        stages: dict[str, Stage] = {anatomy.NOTING: ledger.row, anatomy.KEEPING: ledger.take}
        parts = anatomy.parts(config.bus.durable, stages)
        self._topology, self._took = anatomy.organised(parts)
        self._units = [Unit(bus, one, Carries.ITEMS) for one in self._topology.chains]

    def start(self, supervisor: Supervisor) -> None:
        """Run the chains, and write what they set aside."""
        for unit in self._units:
            supervisor.start(unit.name, unit.run)
        supervisor.start("ledger", self._keep)

    async def stop(self) -> None:
        """Write the rest; the chains end with their supervisor."""
        with suppress(Refused):
            await self.ledger.write()
        await self.ledger.close()

    async def said_since(self, run: str, sequence: int) -> list[Row]:
        """What was said on durable topics after a message of another run, the newest of it."""
        return await self.ledger.after(run, sequence, EARLIER)

    def view(self) -> TopologyView:
        """Who hears whom."""
        return anatomy.view(self._topology, self._bus.readers())

    def show(self, metrics: Metrics) -> None:
        """Hand over what was counted."""
        metrics.gauge("emily_organise_seconds").set(self._took)
        metrics.gauge("emily_topology_components").set(len(self._topology.components))
        metrics.gauge("emily_topology_cycles").set(len(self._topology.loops))
        handled = sum(unit.handled for unit in self._units)
        metrics.total("emily_pipeline_ops_total", value=handled)
        metrics.gauge("emily_pipeline_overhead_ratio").set(overhead(self._units))
        metrics.total("emily_bus_unkept_total", value=self.ledger.lost)

    async def _keep(self) -> None:
        is_refused = False
        while True:
            await self._clock.sleep(OFTEN)
            try:
                await self.ledger.write()
                is_refused = False
            except Refused as refused:  # they wait for room; said once, since it will fail again
                if not is_refused:
                    LOG.warning("%s", refused.told(self._config.language))
                is_refused = True
