"""What the mind does without when memory is short, rung by rung, and the way back."""

import asyncio
from collections.abc import Callable

from emily_runtime.config import Config
from emily_runtime.memory.store import Store
from emily_runtime.messages import Refused
from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.pressure import Change, Ladder, Rules, Rung, give_back
from emily_runtime.nerves.psi import Stalls

Look = Callable[[], Stalls | None]
PRESSURE = "pressure"
"""The topic of its steps."""
REFUSES = 3
"""From this rung on, new work is turned away, unless a reflex answers it."""
THRIFT = (1, 1, 1, 2, 0)
"""By rung: tier 3 thinks in every so manieth cycle, and in none where it is 0."""
KEPT = 2000
"""Episodes whose vectors stay whole."""


def rules(config: Config) -> Rules:
    """When it steps; Refused where its rungs don't rise."""
    given = config.pressure
    rises = (given.first, given.second, given.third, given.fourth)
    try:
        return Rules(rises, given.release, given.hold, given.period)
    except ValueError as error:
        raise Refused("EMY-1007", file=config.file, reason=error) from None


async def _nothing() -> None:
    return


def ladder(
    config: Config, bus: Bus, store: Store, look: Look, tell: Callable[[Change], object]
) -> Ladder:
    """The four rungs, of which the last two say no and think less; Refused if they don't rise."""

    async def lighten() -> None:
        bus.release()
        await asyncio.to_thread(give_back)

    async def pack() -> None:
        await store.shrink(KEPT)

    rungs = [
        Rung(lighten, _nothing),
        Rung(pack, store.expand),
        Rung(lighten, _nothing),  # nothing new is let in, so that the rings stay as light
        Rung(_nothing, _nothing),
    ]
    return Ladder(bus.clock, rungs, look, tell, rules(config))
