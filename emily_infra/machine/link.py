"""The bytes between here and a machine: a TCP connection, or a proxy's stdin and stdout."""

import contextlib
import os
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from emily_infra.machine.deadline import Deadline
from emily_infra.machine.faults import Expired, Unreachable
from emily_infra.machine.local import kill_group
from emily_infra.machine.settings import Settings
from emily_infra.machine.tail import Tail

Found = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[object, ...]]]


class Line(socket.socket):
    """A socket that knows when it last heard anything."""

    heard: float

    @classmethod
    def over(cls, plain: socket.socket) -> "Line":
        """The same connection as PLAIN, which is used up."""
        line = cls(fileno=plain.detach())
        line.heard = time.monotonic()
        return line

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As a socket does, and looks at the clock."""
        data = super().recv(size, flags)
        self.heard = time.monotonic()
        return data


@dataclass(frozen=True)
class Link:
    """An open way to a machine, with the proxy process that carries it, if any."""

    line: Line
    proxy: "Proxy | None" = None

    def silence(self) -> float:
        """Seconds since the last byte came in."""
        return time.monotonic() - self.line.heard

    def said(self) -> str:
        """What the proxy complained of."""
        return self.proxy.complaints() if self.proxy else ""

    def close(self) -> None:
        """Both ends, and no process stays behind."""
        self.line.close()
        if self.proxy:
            self.proxy.end()


class Proxy:
    """The process of a ProxyCommand or ProxyJump."""

    def __init__(self, command: str, theirs: socket.socket) -> None:
        self._stderr = Tail()
        self._process = subprocess.Popen(  # noqa: S603 (from the operator's own configuration)
            ["/bin/sh", "-c", f"exec {command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is ours to handle
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def complaints(self) -> str:
        """The last lines of its stderr, after a moment: it may be about to say why it ended."""
        self._listener.join(0.5)
        return "".join(f"\n  proxy: {line}" for line in self._stderr.text().splitlines()[-5:])

    def end(self) -> None:
        """Terminate and reap it."""
        kill_group(self._process)
        self._listener.join(1.0)

    def _listen(self) -> None:
        assert self._process.stderr
        with self._process.stderr as stream:
            while data := os.read(stream.fileno(), 4096):
                self._stderr.hear(data)


def reach(settings: Settings, clock: Deadline) -> Link:
    """A new connection, never one that somebody else has open already."""
    if not settings.proxy:
        return Link(_dialled(settings, clock))
    ours, theirs = socket.socketpair()
    with theirs:
        return Link(Line.over(ours), Proxy(settings.proxy, theirs))


def _dialled(settings: Settings, clock: Deadline) -> Line:
    """The first of the host's addresses that answers."""
    trouble: OSError | None = None
    for family, kind, protocol, _, address in _resolved(settings, clock):
        plain = socket.socket(family, kind, protocol)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if settings.source:
                plain.bind((settings.source, 0))
            plain.settimeout(max(0.01, min(clock.left(), settings.patience)))
            plain.connect(address)
            return Line.over(plain)
        except OSError as error:
            plain.close()
            trouble = error
    raise _unreached(settings, clock, trouble)


def _unreached(settings: Settings, clock: Deadline, trouble: OSError | None) -> Unreachable:
    name, place = settings.target.name, f"{settings.host} port {settings.port}"
    if trouble is None or isinstance(trouble, TimeoutError):
        return Expired(
            f"{name}: {place} did not answer within {min(clock.seconds, settings.patience):g} s",
            hint=f"is it up, and is the port open in its firewall? try: nc -vz {settings.host} "
            f"{settings.port}",
        )
    return Unreachable(
        f"{name}: no connection to {place}: {trouble.strerror or trouble}",
        hint="is the host up, is its sshd running, and is this its address?",
    )


def _resolved(settings: Settings, clock: Deadline) -> Found:
    """The host's addresses; the resolver has no deadline of its own, so a thread waits for it."""
    answers: queue.SimpleQueue[Found | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(
                socket.getaddrinfo(
                    settings.host, settings.port, settings.family, socket.SOCK_STREAM
                )
            )
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    with contextlib.suppress(queue.Empty):
        answer = answers.get(timeout=min(clock.left(), threading.TIMEOUT_MAX))
        if not isinstance(answer, OSError):
            return answer
        raise Unreachable(
            f"{settings.target.name}: no address for {settings.host}: {answer.strerror}",
            hint=f"try it by hand: getent hosts {settings.host}",
        )
    raise Expired(
        f"{settings.target.name}: no address for {settings.host} within {clock.seconds:g} s",
        hint="does DNS answer here? an address in deploy.address needs none",
    )
