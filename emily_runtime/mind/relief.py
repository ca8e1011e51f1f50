"""What the mind does without when memory is short, rung by rung, and the way back."""

import asyncio

from emily_runtime.config import Config
from emily_runtime.memory.store import Store
from emily_runtime.messages import Refused
from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.clock import Clock
from emily_runtime.nerves.pressure import Ladder, Rules, Rung, give_back
from emily_runtime.nerves.psi import SYSTEM, Stalls, read

PRESSURE = "pressure"
"""The topic of its steps."""
REFUSES, REFLEXES_ONLY = 3, 4
"""From these rungs on, new work is turned away, and only reflexes answer."""
KEPT = 2000
"""Episodes whose vectors stay whole."""


async def _nothing() -> None:
    return


def ladder(config: Config, clock: Clock, bus: Bus, store: Store) -> Ladder:
    """The four rungs, of which the last two say no at the door; Refused where they don't rise."""

    async def lighten() -> None:
        await asyncio.to_thread(give_back)

    async def pack() -> None:
        await store.shrink(KEPT)

    given = config.pressure
    rises = (given.first, given.second, given.third, given.fourth)
    try:
        rules = Rules(rises, given.release, given.hold)
    except ValueError as error:
        raise Refused("EMY-1007", file=config.file, reason=error) from None
    rungs = [
        Rung(lighten, _nothing),
        Rung(pack, store.expand),
        Rung(_nothing, _nothing),
        Rung(_nothing, _nothing),
    ]
    return Ladder(clock, rungs, stalls, lambda change: bus.publish(PRESSURE, change), rules)


def stalls() -> Stalls | None:
    """How long tasks have waited for memory, on the whole machine."""
    return read(SYSTEM)
