"""One command over an open connection: all its streams at once."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import suppress

from paramiko import Channel, SSHException, Transport

from emily_infra.machine.in_order import in_order
from emily_infra.machine.tail import Tail

_CHUNK = 256 * 1024
_FOREVER = 10.0**9
_BROKEN = (SSHException, OSError, EOFError)


class Exchange:
    """A command on its way. Threads do whatever can block, so that the caller can always leave."""

    def __init__(self, transport: Transport, command: str, stdin: bytes) -> None:
        self.output = bytearray()
        self.errors = Tail()
        self.begun = False
        self._transport = transport
        self._command = command
        self._stdin = memoryview(stdin)
        self._channel: Channel | None = None
        self._left = False
        self._end: Future[int] = Future()
        _start(self._hold)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, after at most SECONDS."""
        return bool(wait_for([self._end], seconds).done)

    def status(self) -> int:
        """The exit status; -1 where the server named none. Raises what broke the exchange."""
        return self._end.result()

    @property
    def was_heard_out(self) -> bool:
        """Whether the server said that there is no more output; a cut link doesn't."""
        return self._channel is not None and bool(self._channel.eof_received)

    def leave(self) -> None:
        """Give up: nothing more is sent, and what has not begun will not."""
        self._left = True
        if self._channel and not self._end.done():
            _start(self._close)  # it writes to a link that may be dead

    def _close(self) -> None:
        assert self._channel
        with suppress(*_BROKEN):
            self._channel.close()

    def _hold(self) -> None:
        try:
            self._end.set_result(self._held())
        except _BROKEN as error:
            self._end.set_exception(error)

    def _held(self) -> int:
        channel = self._channel = in_order(self._transport.open_session(timeout=_FOREVER))
        if self._left:
            channel.close()
            return -1
        self.begun = True
        channel.exec_command(self._command)
        _start(self._feed)
        listening = _start(self._listen)
        while data := channel.recv(_CHUNK):
            self.output += data
        listening.join()
        return channel.recv_exit_status()

    def _feed(self) -> None:
        assert self._channel
        with suppress(*_BROKEN):  # the command may end before it has read everything
            for start in range(0, len(self._stdin), _CHUNK):
                self._channel.sendall(bytes(self._stdin[start : start + _CHUNK]))
            self._channel.shutdown_write()

    def _listen(self) -> None:
        assert self._channel
        while data := self._channel.recv_stderr(_CHUNK):
            self.errors.hear(data)


def _start(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
