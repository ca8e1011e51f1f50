"""Chains at work: each reads its topics from the bus in batches and speaks on its own."""

import asyncio
from collections.abc import Iterable, Iterator
from math import nan
from time import perf_counter_ns
from typing import Any

from emily_runtime.nerves.bus import Bus, Message
from emily_runtime.nerves.fusion import Carries, fused
from emily_runtime.nerves.topology import Chain

BATCH = 256
"""Messages between two turns of the loop, so that a flood starves nobody."""


class Unit:
    """A running chain."""

    def __init__(self, bus: Bus, chain: Chain, carries: Carries = Carries.MESSAGES) -> None:
        self.name = chain.name
        self.handled = 0
        """Messages taken on, including those that a stage raised for."""
        self.in_stages_ns = 0
        self.around_ns = 0
        """Nanoseconds of coordination: what reading and speaking takes."""
        self._bus = bus
        self._produces = chain.produces
        self._reader = bus.subscribe(*chain.consumes, name=chain.name)
        stages = [component.stage for component in chain.members if component.stage]
        self._fused = fused(stages, carries)
        self._rest: Iterator[Message] = iter(())

    async def run(self) -> None:
        """Work until a stage raises; run again, it goes on behind the message it raised for."""
        while True:
            self._work()
            begin = perf_counter_ns()
            batch = self._reader.read(BATCH).items
            self.around_ns += perf_counter_ns() - begin
            if not batch:
                await self._reader.wait()
                continue
            self.handled += len(batch)
            self._rest = iter(batch)
            await asyncio.sleep(0)

    def close(self) -> None:
        """Listen no more."""
        self._reader.close()

    def _work(self) -> None:
        """What came out before a stage raised is said all the same."""
        results: list[tuple[Any, str]] = []
        begin = perf_counter_ns()
        try:
            self._fused(self._rest, results.append)
        finally:
            done = perf_counter_ns()
            for topic in self._produces:
                self._bus.publish_many(topic, results)
            self.in_stages_ns += done - begin
            self.around_ns += perf_counter_ns() - done


def overhead(units: Iterable[Unit]) -> float:
    """Coordination as a share of all the time of chains, from 0 to 1; not a number without any."""
    spent = [(unit.around_ns, unit.in_stages_ns) for unit in units]
    around = sum(one for one, _ in spent)
    return around / max(1, around + sum(one for _, one in spent)) if spent else nan
