"""The process: open the doors, say so to systemd, and close them when told to."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from emily_runtime.messages import Refused, say
from emily_runtime.notify import Notifier
from emily_runtime.service import control, sockets
from emily_runtime.service.app import application, probes
from emily_runtime.service.doors import Door, DoorConfig
from emily_runtime.service.endpoints import Place
from emily_runtime.service.guard import Socket
from emily_runtime.service.loops import http_protocol
from emily_runtime.service.standing import Phase, Standing
from emily_runtime.service.surroundings import Surroundings
from emily_runtime.service.turns import Turn
from emily_runtime.service.watching import look, report

BACKLOG = 1024
"""A rush must wait in the queue and not in the callers' retries."""


@dataclass
class Service:
    """The listening service."""

    host: str
    port: int
    standing: Standing
    notifier: Notifier
    around: Surroundings
    places: list[Place] = field(default_factory=list)
    reload: Callable[[], Awaitable[None]] | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._begin, self._reload)
        turn, own = self._doors()
        servers = await self._control(own)
        doors = (turn.way.door, own.door)
        self._begin(partial(look, self.standing, doors))
        self.standing.phase = Phase.READY
        if turn.is_mine:
            await turn.take()
        self._ready(turn, "READY=1")
        self._begin(partial(report, self.notifier, self.standing, self._way(turn)))
        await stop.wait()
        await self._stop(turn, doors, servers)

    def _doors(self) -> tuple[Turn, DoorConfig]:
        standing = self.standing
        shared = Door("shared", standing.limits, standing.language)
        private = Door("control", standing.limits, standing.language)
        http = http_protocol()
        app = application(standing, [*probes(standing), *self.places])
        listening = self.around.sockets.shared or (sockets.opened(self.host, self.port, BACKLOG),)
        turn = Turn(standing, DoorConfig(app, shared, http, Socket), listening, self.around.active)
        everything = [*probes(standing), *control.places(turn), *self.places]
        return turn, DoorConfig(application(standing, everything), private, http, Socket)

    async def _control(self, own: DoorConfig) -> list[asyncio.Server]:
        listening = self.around.sockets.control
        if not listening and self.around.control:
            listening = (sockets.control(self.around.control, BACKLOG),)
        loop = asyncio.get_running_loop()
        return [await loop.create_unix_server(own.protocol, sock=door) for door in listening]

    def _way(
        self, turn: Turn
    ) -> Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
        """By the control socket, since the shared one may lead to the other instance."""
        if self.around.control and not self.around.sockets.control:
            return partial(asyncio.open_unix_connection, str(self.around.control))
        host, port = turn.sockets[0].getsockname()[:2]
        return partial(asyncio.open_connection, _reachable(host), port)

    def _begin(self, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _ready(self, turn: Turn, *lines: str) -> None:
        if self.standing.is_taking:
            self._tell("EMY-3001", *lines, address=_address(turn.sockets[0]))
        else:
            self._tell("EMY-3004", *lines, colour=self.standing.colour)

    async def _reload(self) -> None:
        """By the protocol of Type=notify-reload; what is refused changes nothing."""
        self.notifier.reloading()
        try:
            if self.reload:
                await self.reload()
        except Refused as refused:
            reason = say(refused.code, self.standing.language, **refused.values).text
            self._tell("EMY-3006", "READY=1", reason=reason)
        else:
            self.notifier.tell("READY=1")

    async def _stop(
        self, turn: Turn, doors: tuple[Door, ...], servers: list[asyncio.Server]
    ) -> None:
        """Take nobody new, let those inside finish their request, then close the rest."""
        self.standing.phase = Phase.STOPPING
        self._tell("EMY-3002", "STOPPING=1", open=sum(len(door.visits) for door in doors))
        turn.leave()
        for server in servers:
            server.close()
        for door in doors:
            door.close()
        await asyncio.gather(*(door.drain(self.standing.limits.stop) for door in doors))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _tell(self, code: str, *lines: str, **values: object) -> None:
        status = say(code, self.standing.language, **values).text
        self.notifier.tell(*lines, f"STATUS={status}")


def _address(listening: socket.socket) -> str:
    if listening.family == socket.AF_UNIX:
        return str(listening.getsockname())
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reachable(host: str) -> str:
    """A service on every address is found on loopback."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
