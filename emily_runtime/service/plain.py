"""HTTP by h11, for where httptools cannot be had."""

from uvicorn.protocols.http.h11_impl import H11Protocol

from emily_runtime.service.guard import Guarded
from emily_runtime.service.limits import MAX_BODY, MAX_HEAD
from emily_runtime.service.problems import Refusal


class H11(Guarded, H11Protocol):  # type: ignore[misc]  # ours stays for the reply
    """For where httptools cannot be had."""

    _head = 0
    """Bytes since the request before was whole."""

    def data_received(self, data: bytes) -> None:
        """Some of a request, or of several."""
        if not self.visit.is_over:
            self._head += len(data)
            super().data_received(data)

    def handle_events(self) -> None:
        """What the bytes amounted to."""
        super().handle_events()
        self._keep_alive()
        if self.visit.is_over or self.transport.get_protocol() is not self:
            self.upgraded()
        elif self._is_arriving():
            self.visit.arriving()
            self._weigh()
        else:
            self._head = 0
            self.visit.arrived()

    def _is_arriving(self) -> bool:
        """In the middle of a body, or of a head."""
        theirs = repr(self.conn.their_state)  # by name: h11 is uvicorn's dependency and not ours
        return theirs == "SEND_BODY" or (theirs == "IDLE" and bool(self.conn.trailing_data[0]))

    def _keep_alive(self) -> None:
        if self.visit.door.is_closing:
            self.leave()

    def _weigh(self) -> None:
        if self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete:
            headers = dict(self.headers)
            length = int(headers.get(b"content-length", b"0"))
            if max(length, self._head - MAX_HEAD) > MAX_BODY:
                self.fault = Refusal(413, "EMY-2002", limit=MAX_BODY)
                self.refused()

    def send_400_response(self, msg: str) -> None:
        """It says the same of a head that is too large."""
        if self._head > MAX_HEAD and not self.fault:
            self.fault = Refusal(431, "EMY-2002", limit=MAX_HEAD)
        super().send_400_response(msg)
