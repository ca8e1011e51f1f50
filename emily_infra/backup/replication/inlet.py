"""Bytes that come in from a connection: the first of them to look at, then all of them onward."""

import contextlib
import os
import select
import threading
from _thread import interrupt_main
from collections.abc import Iterator
from dataclasses import dataclass

_CHUNK = 1 << 20
SILENCE = 900.0
"""Seconds without a byte until a sender counts as gone; to search for changes takes minutes."""


class _Stuck(Exception):
    """Whoever reads takes nothing more."""


@dataclass
class Inlet:
    """A descriptor that a stream comes in by."""

    descriptor: int
    silence: float = SILENCE
    stuck: bool = False
    """What it is passed on to took nothing for as long; the main thread was interrupted."""

    def first(self, size: int) -> bytes:
        """The first SIZE bytes; fewer where it ends or falls silent before."""
        data = b""
        while len(data) < size and (more := self._read(size - len(data))):
            data += more
        return data

    @contextlib.contextmanager
    def onward(self, first: bytes) -> Iterator[int]:
        """A descriptor on which FIRST and everything after it can be read."""
        reading, writing = os.pipe()
        threading.Thread(target=self._pump, args=(first, writing), daemon=True).start()
        try:
            yield reading
        finally:
            os.close(reading)  # what still pumps sees a broken pipe

    def _pump(self, first: bytes, writing: int) -> None:
        os.set_blocking(writing, False)
        try:
            data = first
            while data:
                self._write(writing, data)
                data = self._read(_CHUNK)
        except _Stuck:
            # A program that waits for a pool that stands still hears no signal: it is left behind.
            self.stuck = True
            interrupt_main()
        except OSError:
            pass  # it has ended; its status says why
        finally:
            os.close(writing)

    def _read(self, size: int) -> bytes:
        ready, _, _ = select.select([self.descriptor], [], [], self.silence)
        return os.read(self.descriptor, size) if ready else b""

    def _write(self, writing: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            _, ready, _ = select.select([], [writing], [], self.silence)
            if not ready:
                raise _Stuck
            rest = rest[os.write(writing, rest) :]
