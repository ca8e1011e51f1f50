"""How much time goes by waiting for memory: pressure stall information of the kernel (PSI).

The kernel's side is Documentation/accounting/psi.rst, systemd's is "Memory Pressure Handling".
"""

import asyncio
import os
import re
import select
import socket
import stat
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from emily_runtime.messages import Refused

_LINE = re.compile(
    r"(some|full) avg10=(\d+\.\d+) avg60=(\d+\.\d+) avg300=(\d+\.\d+) total=(\d+)", re.ASCII
)
SYSTEM = Path("/proc/pressure/memory")


class Stall(NamedTuple):
    """Per cent of the last 10, 60 and 300 seconds, and microseconds in all."""

    avg10: float
    avg60: float
    avg300: float
    total: int


class Stalls(NamedTuple):
    """For how long some task waited, and for how long all did."""

    some: Stall
    full: Stall


def parse(text: str) -> Stalls | None:
    """What a pressure file says, or nothing where it says something else."""
    found = {
        one[1]: Stall(float(one[2]), float(one[3]), float(one[4]), int(one[5]))
        for one in _LINE.finditer(text)
    }
    return Stalls(found["some"], found["full"]) if len(found) == 2 else None


def read(file: Path) -> Stalls | None:
    """The pressure in a file, or nothing where the kernel does not tell it."""
    with suppress(OSError, UnicodeDecodeError):
        return parse(file.read_text("ascii"))
    return None


@dataclass(frozen=True)
class Watch:
    """What systemd wants to be watched."""

    file: Path
    request: bytes
    """What is written to it first; which stalls the kernel shall tell of."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Watch | None":
        """As systemd sets it; none outside of it, or where watching is turned off."""
        file = environment.get("MEMORY_PRESSURE_WATCH", "")
        if file in ("", "/dev/null"):
            return None
        try:
            request = b64decode(environment.get("MEMORY_PRESSURE_WRITE", ""), validate=True)
        except NotBase64:
            raise Refused("EMY-7015", file=file, reason="its request is not Base64") from None
        return cls(Path(file), request)

    def stalls(self) -> Stalls | None:
        """What the watched file says; of the whole machine, where it says nothing to be read."""
        found = read(self.file) if self.file.is_file() else None
        return found or read(SYSTEM)


class Alarm:
    """Told by the kernel, or by a service manager's pipe or socket, that memory is short."""

    def __init__(self, watch: Watch) -> None:
        """Refused where it cannot be watched."""
        self._rung = asyncio.Event()
        self._door = -1
        self._poll = select.epoll()
        try:
            self._door, events = _opened(watch.file)
            if watch.request:
                os.write(self._door, watch.request)
            self._poll.register(self._door, events)
        except OSError as error:
            self._shut()
            reason = error.strerror or str(error)
            raise Refused("EMY-7015", file=watch.file, reason=reason) from None
        self._reads = bool(events & select.EPOLLIN)
        # A loop waits for what can be read, and the kernel's sign is another one: an epoll of it
        # can be read.
        asyncio.get_running_loop().add_reader(self._poll.fileno(), self._ring)

    async def wait(self) -> None:
        """Return when it has rung since the wait before."""
        await self._rung.wait()
        self._rung.clear()

    @property
    def is_open(self) -> bool:
        """Whether it can still ring; the other side of a socket may go away."""
        return self._door >= 0

    def close(self) -> None:
        """Watch no more."""
        if self.is_open:
            asyncio.get_running_loop().remove_reader(self._poll.fileno())
            self._shut()

    def _ring(self) -> None:
        # The kernel gives its sign once, and looking for it took it: being called is the sign.
        events = self._poll.poll(0)
        data = b""
        with suppress(OSError):
            data = os.read(self._door, 4096) if self._reads else b"+"
        self._rung.set()
        if not data or any(event & (select.EPOLLERR | select.EPOLLHUP) for _, event in events):
            self.close()  # the other side has gone, and would ring for ever

    def _shut(self) -> None:
        self._poll.close()
        if self._door >= 0:
            os.close(self._door)
            self._door = -1


def _opened(file: Path) -> tuple[int, int]:
    """A file descriptor, and what to wait for on it."""
    mode = file.stat().st_mode
    if stat.S_ISSOCK(mode):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.connect(str(file))
            door.setblocking(False)  # noqa: FBT003 - the socket's own signature
            return door.detach(), select.EPOLLIN
    door_number = os.open(file, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    return door_number, select.EPOLLIN if stat.S_ISFIFO(mode) else select.EPOLLPRI
