"""HTTP by httptools."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from emily_runtime.service.guard import Guarded
from emily_runtime.service.limits import MAX_BODY, MAX_HEAD
from emily_runtime.service.problems import Refusal


class HttpTools(Guarded, HttpToolsProtocol):  # type: ignore[misc]  # ours stays for the reply
    """Limits are counted in the parser's own callbacks, whose errors end the request."""

    _raw = _head = _body = 0
    """Bytes of the request so far: as they came, of its head, and of its body."""
    _is_partial = _is_in_body = False

    def data_received(self, data: bytes) -> None:
        """Some of a request, or of several."""
        if self.visit.is_over:
            return
        self._raw += len(data)
        super().data_received(data)
        if self._is_partial:
            self.visit.arriving()
            if self._raw > MAX_HEAD and not self._is_in_body:
                self.fault = Refusal(431, "EMY-2002", limit=MAX_HEAD)
                self.refused()
        elif self.cycle is None and self.transport.get_protocol() is self:
            self.visit.arriving()

    def handle_websocket_upgrade(self) -> None:
        """From a request to a WebSocket."""
        self._is_partial = False
        super().handle_websocket_upgrade()
        self.upgraded()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._is_partial, self._is_in_body = True, False
        self._head = self._body = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Some of the first line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, whole."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The request can be worked on, unless it announces too much."""
        self._is_in_body = True
        if self.parser.get_http_version() not in ("1.0", "1.1"):
            raise ValueError
        for name, value in self.headers:
            if name == b"content-length" and int(value) > MAX_BODY:
                self._too_large()
        super().on_headers_complete()
        if self.visit.door.is_closing and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._body += len(body)
        if self._body > MAX_BODY:
            self._too_large()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._is_partial = False
        self._raw = 0
        self.visit.arrived()
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD:
            self.fault = Refusal(431, "EMY-2002", limit=MAX_HEAD)
            raise self.fault

    def _too_large(self) -> None:
        self.fault = Refusal(413, "EMY-2002", limit=MAX_BODY)
        raise self.fault
