"""Looking at oneself: how late the loop is, who takes too long, and a sign of life to systemd."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from emily_runtime.messages import say
from emily_runtime.notify import Notifier
from emily_runtime.service.doors import Door
from emily_runtime.service.standing import Standing

LOOK = 0.25
"""Seconds between two looks at the loop and at the connections."""

Way = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Opens a connection to ourselves, as a caller would."""


async def look(standing: Standing, doors: tuple[Door, ...], also: Callable[[], None]) -> None:
    """Forever: measure the lag, sweep the doors, and whatever ALSO is to be done as often."""
    now = asyncio.get_running_loop().time
    while True:
        due = now() + LOOK
        await asyncio.sleep(LOOK)
        standing.looked(max(0.0, now() - due))
        for door in doors:
            door.sweep()
        also()


async def report(
    notifier: Notifier, standing: Standing, way: Way, status: Callable[[], str]
) -> None:
    """As often as systemd wants a sign of life, one if we answer and nothing is stuck.

    Where we do not, that is our status; once we do again, it is STATUS, as it was before.
    """
    if not notifier.watchdog:
        return
    is_ill = False
    while True:
        reason = await _complaint(standing, way)
        if reason is not None:
            told = say("EMY-3003", standing.language, reason=reason).text
            notifier.tell(f"STATUS={told}")
        elif is_ill:
            notifier.tell("WATCHDOG=1", f"STATUS={status()}")
        else:
            notifier.tell("WATCHDOG=1")
        is_ill = reason is not None
        await asyncio.sleep(notifier.watchdog / 3)


async def _complaint(standing: Standing, way: Way) -> str | None:
    try:
        async with asyncio.timeout(standing.limits.probe):
            await _probe(way)
    except OSError as error:
        return str(error) or type(error).__name__
    if standing.lag >= standing.limits.probe:
        return f"the loop is {standing.lag:.1f} s late"
    return standing.stuck()


async def _probe(way: Way) -> None:
    """Ask as anybody would. Any reaction will do: a full house is alive."""
    reader, writer = await way()
    try:
        writer.write(b"GET /health HTTP/1.1\r\nHost: self\r\nConnection: close\r\n\r\n")
        await writer.drain()
        await reader.read(1)
    except ConnectionResetError:
        return
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
