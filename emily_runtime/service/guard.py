"""What our HTTP and WebSocket protocols add to uvicorn's: deadlines, limits, and words."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from emily_runtime.service.doors import Visit
from emily_runtime.service.problems import Refusal

ENDS_EARLY = Refusal(400, "EMY-2001", reason="it ends in the middle")


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket whose frames can be handed over as they go on the wire."""

    visit: Visit
    paused: Callable[[], None] | None = None
    """Called when the other side takes less than it is sent."""
    resumed: Callable[[], None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether a frame may still be sent."""
        return self.handshake_complete and not (
            self.close_sent or self.disconnected or self.transport.is_closing()
        )

    @property
    def is_ready(self) -> bool:
        """Whether what was sent before is on its way."""
        return self.writable.is_set()

    def pause_writing(self) -> None:
        """The buffer is full."""
        super().pause_writing()
        if self.paused:
            self.paused()

    def resume_writing(self) -> None:
        """The buffer has room again."""
        super().resume_writing()
        if self.resumed:
            self.resumed()

    def admitted(self, visit: Visit) -> None:
        """It goes on where the request was."""
        self.visit = visit
        visit.arrived()
        visit.leave = self.shutdown

    def handle_connect(self, event: Any) -> None:
        """Let the application reach the connection."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"]["emily.socket"] = cast("dict[object, object]", {"is": self})

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        super().connection_lost(exc)
        self.visit.door.visits.discard(self.visit)


class Guarded(asyncio.Protocol):
    """What our HTTP protocols do alike; mixed into one of uvicorn's, and standing before it."""

    visit: Visit
    config: Any
    transport: asyncio.Transport
    cycle: Any
    fault: Refusal | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is at the door."""
        super().connection_made(transport)
        self.visit = self.config.door.admit(transport)
        self.visit.leave = self.leave

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        super().connection_lost(exc)
        self.visit.door.visits.discard(self.visit)

    def eof_received(self) -> bool:
        """The other side has closed its half."""
        return self.ended()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """In our own words."""
        self.refused()

    def leave(self) -> None:
        """The reply that is waited for is the last."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False

    def is_answering(self) -> bool:
        """Whether a whole request waits for its reply."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def upgraded(self) -> None:
        """The connection has become a WebSocket."""
        protocol = self.transport.get_protocol()
        if isinstance(protocol, Socket):
            protocol.admitted(self.visit)

    def refused(self) -> None:
        """Tell what was wrong, unless an earlier request still waits for its reply."""
        if self.is_answering():
            self.cycle.keep_alive = False
            self.visit.is_over = True
            return
        self.visit.refuse(
            self.fault or Refusal(400, "EMY-2001", reason="its first line or a header")
        )
        self.forget()

    def forget(self) -> None:
        """Whoever still works on this request needs not answer."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def ended(self) -> bool:
        """The caller says no more. Whether the connection stays for the reply."""
        if self.is_answering():
            self.cycle.keep_alive = False
            return True
        if self.visit.is_arriving:
            self.fault = ENDS_EARLY
            self.refused()
        return False
