"""The process: open the doors, say so to systemd, and close them when told to."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from emily_runtime.config.config import authority
from emily_runtime.messages import Refused, say
from emily_runtime.notify import Notifier
from emily_runtime.service import sockets
from emily_runtime.service.doors import Door, DoorConfig
from emily_runtime.service.house import House
from emily_runtime.service.ports import Mind
from emily_runtime.service.standing import Phase, Standing
from emily_runtime.service.surroundings import Surroundings
from emily_runtime.service.turns import Turn
from emily_runtime.service.watching import Way, look, report

BACKLOG = 1024
"""A rush must wait in the queue and not in the callers' retries."""


@dataclass
class Service:
    """The listening service."""

    address: tuple[str, int]
    """Where it listens if systemd hands over no socket."""
    mind: Mind
    standing: Standing
    notifier: Notifier
    around: Surroundings
    reload: Callable[[], Awaitable[tuple[str, ...]]] | None = None
    """Takes over a new configuration, and names what waits for a restart."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _end: asyncio.Event = field(default_factory=asyncio.Event)
    _failure: BaseException | None = None
    _took: bool = False
    """Whose turn it was, as systemd was told."""
    _status: str = ""
    """What systemd was told last."""

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; what breaks in the background ends it, too."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        listening = self.around.sockets.shared or (sockets.opened(*self.address, BACKLOG),)
        house = House(self.mind, self.standing, listening, self.around.active)
        servers = await self._control(house.private)
        await self.mind.start()
        self.mind.attend((1.0, 0.5))
        self.standing.ill, self.standing.stuck = self.mind.healthy, self.mind.stuck
        loop.add_signal_handler(signal.SIGHUP, self._begin, self._reload)
        self._begin(partial(look, self.standing, house.doors, partial(self._look, house)))
        self.standing.phase = Phase.READY
        if house.turn.is_mine:
            await house.turn.take()
        self._tell_turn(house.turn, "READY=1")
        way = self._way(house.turn)
        self._begin(partial(report, self.notifier, self.standing, way, lambda: self._status))
        await self._end.wait()
        await self._stop(house, servers)
        if self._failure:
            raise self._failure

    async def _control(self, own: DoorConfig) -> list[asyncio.Server]:
        listening = self.around.sockets.control
        if not listening and self.around.control:
            listening = (sockets.control(self.around.control, BACKLOG),)
        loop = asyncio.get_running_loop()
        return [await loop.create_unix_server(own.protocol, sock=door) for door in listening]

    def _way(self, turn: Turn) -> Way:
        """By the control socket, since the shared one may lead to the other instance."""
        if self.around.control and not self.around.sockets.control:
            return partial(asyncio.open_unix_connection, str(self.around.control))
        host, port = turn.sockets[0].getsockname()[:2]
        return partial(asyncio.open_connection, _reachable(host), port)

    def _begin(self, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self._failure = task.exception()
            self._end.set()

    def _look(self, house: House) -> None:
        house.look()
        if self.standing.phase is Phase.READY and self.standing.is_taking is not self._took:
            self._tell_turn(house.turn)

    def _tell_turn(self, turn: Turn, *lines: str) -> None:
        self._took = self.standing.is_taking
        if self._took:
            self._tell("EMY-3001", *lines, address=_address(turn.sockets[0]))
        else:
            self._tell("EMY-3004", *lines, colour=self.standing.colour)

    async def _reload(self) -> None:
        """By the protocol of Type=notify-reload; what is refused changes nothing."""
        self.notifier.reloading()
        try:
            waiting = await self.reload() if self.reload else ()
        except Refused as refused:
            reason = say(refused.code, self.standing.language, **refused.values).text
            self._tell("EMY-3006", "READY=1", reason=reason)
        else:
            names = ", ".join(waiting) or "-"
            self._tell("EMY-3007", "READY=1", names=names)

    async def _stop(self, house: House, servers: list[asyncio.Server]) -> None:
        """Take nobody new, let those inside finish their request, then close the rest."""
        self.standing.phase = Phase.STOPPING
        inside = sum(len(door.visits) for door in house.doors)
        self._tell("EMY-3002", "STOPPING=1", open=inside)
        house.turn.leave()
        for server in servers:
            server.close()
        await asyncio.gather(*(_emptied(door, self.standing.limits.stop) for door in house.doors))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.mind.stop()

    def _tell(self, code: str, *lines: str, **values: object) -> None:
        self._status = say(code, self.standing.language, **values).text
        self.notifier.tell(*lines, f"STATUS={self._status}")


async def _emptied(door: Door, seconds: float) -> None:
    door.close()
    await door.drain(seconds)


def _address(listening: socket.socket) -> str:
    if listening.family == socket.AF_UNIX:
        return str(listening.getsockname())
    return authority(*listening.getsockname()[:2])


def _reachable(host: str) -> str:
    """A service on every address is found on loopback."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
