"""A long way to a server on this machine: a proxy that delays every byte and loses none."""

import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_CHUNK = 256 * 1024
_Mail = queue.SimpleQueue[tuple[float, bytes]]


class Distance:
    """Every byte arrives half a round trip after it was sent, however many there are."""

    def __init__(self, port: int, round_trip: float) -> None:
        self.connections = 0
        self._behind = port
        self._half = round_trip / 2
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self._listener.getsockname()[1])
        _start(self._accept)

    def close(self) -> None:
        """Nobody comes in any more, and whoever is in is put out."""
        for each in (self._listener, *self._ends):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self.connections += 1
                begin = time.monotonic()
                _start(self._carry, near, begin)

    def _carry(self, near: socket.socket, begin: float) -> None:
        # The kernel has shaken hands with the client already. Over a real line that takes a round
        # trip, before which nothing can be sent, and the server hears of it half a trip later.
        there, back = _Mail(), _Mail()
        _wait_until(begin + 2 * self._half)
        _start(self._take, near, there)
        _wait_until(begin + 3 * self._half)
        far = socket.create_connection(("127.0.0.1", self._behind))
        self._ends += [near, far]
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _start(self._take, far, back)
        _start(self._bring, there, far)
        _start(self._bring, back, near)

    def _take(self, source: socket.socket, mail: _Mail) -> None:
        data = b"more"
        while data:
            try:
                data = source.recv(_CHUNK)
            except OSError:
                data = b""
            mail.put((time.monotonic() + self._half, data))

    def _bring(self, mail: _Mail, sink: socket.socket) -> None:
        with suppress(OSError):
            while True:
                due, data = mail.get()
                _wait_until(due)
                if not data:
                    break
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def _start(work: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()


def _wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
