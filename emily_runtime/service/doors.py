"""A way in, and what its connections have in common; and what one connection may still do."""

import asyncio
import math
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from emily_runtime.messages import Language
from emily_runtime.service.limits import MAX_HEAD, MAX_WORD, Limits
from emily_runtime.service.problems import Refusal, on_the_wire

HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class Visit:
    """One connection: its deadline, and how it ends."""

    def __init__(self, transport: asyncio.Transport, door: "Door") -> None:
        self.transport = transport
        self.door = door
        self.deadline = door.now() + door.limits.arrive
        self.is_arriving = False
        """Whether a request has begun to come and is not whole."""
        self.is_over = False
        self.leave: Callable[[], None] = transport.close
        """Ends it with the reply that is waited for, or with the next."""

    def arriving(self) -> None:
        """Bytes came, and a request is not whole yet."""
        self.is_arriving = True
        if self.deadline == math.inf:
            self.deadline = self.door.now() + self.door.limits.arrive

    def arrived(self) -> None:
        """A request is whole."""
        self.is_arriving = False
        self.deadline = math.inf

    def refuse(self, refusal: Refusal) -> None:
        """Say why, then read on for a moment: closing over unread bytes takes the words back."""
        if self.is_over or self.transport.is_closing():
            return
        self.is_over = True
        self.is_arriving = False
        self.transport.write(on_the_wire(refusal, self.door.language))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.deadline = self.door.now() + self.door.limits.probe

    def look(self) -> None:
        """Send away who took too long to speak, and cut off who takes too long to listen."""
        now, arrive = self.door.now(), self.door.limits.arrive
        if self.transport.is_closing():
            self.deadline = min(self.deadline, now + arrive)
        if now < self.deadline:
            return
        if self.is_over or self.transport.is_closing():
            self.transport.abort()
        else:
            self.refuse(Refusal(408, "EMY-2003", seconds=arrive))


class Door:
    """One way in: its limits and its open connections."""

    def __init__(self, name: str, limits: Limits, language: Language) -> None:
        self.name = name
        self.limits = limits
        self.language = language
        self.is_closing = False
        """Whether each reply is the last of its connection."""
        self.state = ServerState()
        self.visits: set[Visit] = set()
        self.now = asyncio.get_running_loop().time
        self.sweep()

    def admit(self, transport: asyncio.Transport) -> Visit:
        """A new connection: welcome, told that the house is full, or cut off where it bursts."""
        visit = Visit(transport, self)
        self.visits.add(visit)
        limit = self.limits.connections
        if len(self.visits) > 2 * limit:
            visit.is_over = True
            transport.abort()
        elif len(self.visits) > limit:
            visit.refuse(Refusal(503, "EMY-2007", limit=limit).later(1))
        return visit

    def sweep(self) -> None:
        """To be called a few times a second: who took too long goes, and the date goes on."""
        self.state.default_headers = [(b"date", formatdate(usegmt=True).encode()), *HEADERS]
        for visit in list(self.visits):
            visit.look()

    def close(self) -> None:
        """From now on each reply is the last of its connection."""
        self.is_closing = True
        for visit in list(self.visits):
            visit.leave()

    def reopen(self) -> None:
        """Connections go on again after a reply."""
        self.is_closing = False

    async def drain(self, seconds: float) -> None:
        """Wait until nobody is inside who has begun a request; then close what is left."""
        end = self.now() + seconds
        while self.is_busy() and self.now() < end:
            await asyncio.sleep(0.02)
        for visit in list(self.visits):
            visit.transport.close()
        tasks = list(self.state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def is_busy(self) -> bool:
        """Whether a request is arriving or waits for its reply."""
        return bool(self.state.tasks) or any(visit.is_arriving for visit in self.visits)


class DoorConfig(Config):
    """What uvicorn's protocols are told, and the door that they belong to."""

    def __init__(self, app: Any, door: Door, http: type[Any], ws: type[Any]) -> None:
        super().__init__(
            app,
            http=http,
            ws=ws,
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            ws_max_size=MAX_WORD,
            ws_per_message_deflate=False,  # a frame has to be the same bytes for every reader
            timeout_keep_alive=round(door.limits.idle),
            h11_max_incomplete_event_size=MAX_HEAD,
        )
        self.door = door
        self.load()

    def protocol(self) -> asyncio.Protocol:
        """A fresh one for a connection that has just come in."""
        made: Any = self.http_protocol_class
        fresh: asyncio.Protocol = made(self, self.door.state, {"door": self.door.name})
        return fresh
