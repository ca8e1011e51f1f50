"""Commands on a machine over one SSH connection."""

import logging
import shlex
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace

from paramiko import SSHException, Transport

from emily_infra.machine.deadline import Deadline
from emily_infra.machine.elevate import AsRoot
from emily_infra.machine.exchange import Exchange
from emily_infra.machine.faults import Ending, Expired, Unreachable, short
from emily_infra.machine.link import Link

# What its threads have to say arrives here as exceptions.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_TICK = 0.5


@dataclass(frozen=True)
class Pulse:
    """How often to ask whether the other side is alive, and how often it may not answer."""

    every: float = 5.0
    unanswered: int = 3

    @property
    def silence(self) -> float:
        """Seconds without a byte after which the link is dead."""
        return self.every * self.unanswered

    def slowed(self, times: float) -> "Pulse":
        """That of a machine which may be silent so many times longer."""
        return replace(self, unanswered=round(self.unanswered * times))


PULSE = Pulse()


@dataclass(frozen=True)
class Ssh:
    """A machine behind a connection of its own."""

    name: str
    transport: Transport
    link: Link
    elevation: AsRoot
    way: tuple[str, ...]
    """The ssh command that leads there, for hints."""
    pulse: Pulse = PULSE
    _closed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        threading.Thread(target=self._beat, daemon=True).start()

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """Standard output of ARGV, run as root there."""
        clock = Deadline.after(deadline)
        command = shlex.join(self.elevation.wrap(argv))
        exchange = Exchange(self.transport, command, stdin.encode("utf-8", "surrogateescape"))
        try:
            while not exchange.wait(min(clock.left(), _TICK)):
                self._look(exchange, argv, clock)
        finally:
            exchange.leave()
        return self._answer(exchange, argv)

    def close(self) -> None:
        """End the connection, its threads and its proxy."""
        self._closed.set()
        self.transport.close()
        self.link.close()

    def _look(self, exchange: Exchange, argv: tuple[str, ...], clock: Deadline) -> None:
        """Raise, where waiting makes no sense any more."""
        if self.link.silence() > self.pulse.silence:
            self.close()
            raise Unreachable(
                f"{self.name}: the connection is dead: no byte for {self.pulse.silence:g} s while "
                f"{short(argv)} ran; it may still be running{self.link.said()}",
                hint=f"is the host up? try: {self._by_hand(('uptime',))}",
            )
        if clock.passed:
            raise Expired(
                f"{short(argv)} did not end on {self.name} within {clock.seconds:g} s; it may "
                f"still be running there{_last(exchange)}",
                hint=f"look at what it does: {self._by_hand(('ps', 'faux'))}",
            )

    def _answer(self, exchange: Exchange, argv: tuple[str, ...]) -> str:
        try:
            status = exchange.status()
        except (SSHException, OSError, EOFError) as error:
            raise self._broke(exchange, argv, str(error)) from error
        if not exchange.was_heard_out or (status == -1 and self._is_down()):
            raise self._broke(exchange, argv, "the other side hung up")
        ending = Ending(
            status if status >= 0 else None,
            exchange.output.decode(errors="replace"),
            exchange.errors.text(),
        )
        if status != 0:
            raise self.elevation.failure(self.name, argv, ending, self._by_hand(argv))
        return ending.stdout

    def _is_down(self) -> bool:
        """Whether the connection is gone; its thread may need a moment to see that."""
        self.transport.join(0.2)
        return not self.transport.is_active()

    def _broke(self, exchange: Exchange, argv: tuple[str, ...], why: str) -> Unreachable:
        if not exchange.begun and not self.transport.is_active():
            return Unreachable(
                f"{self.name}: the connection is gone, {short(argv)} was not run{self.link.said()}",
                hint=f"is the host up? try: {self._by_hand(('uptime',))}",
            )
        if self.transport.is_active():
            return Unreachable(
                f"{self.name}: the server did not start {short(argv)}: {why or 'no reason given'}",
                hint="too many sessions on one connection (MaxSessions of its sshd)? "
                f"try: {self._by_hand(argv)}",
            )
        return Unreachable(
            f"{self.name}: the connection broke while {short(argv)} ran ({why or 'cut'}); it may "
            f"or may not have run{self.link.said()}",
            hint=f"is the host up? try: {self._by_hand(('uptime',))}",
        )

    def _beat(self) -> None:
        """Ask for a sign of life; what comes back is heard by the link."""
        while not self._closed.wait(self.pulse.every) and self.transport.is_active():
            with suppress(SSHException, OSError, EOFError):
                self.transport.global_request("keepalive@openssh.com", wait=True)

    def _by_hand(self, argv: tuple[str, ...]) -> str:
        return shlex.join((*self.way, shlex.join(self.elevation.wrap(argv))))


def _last(exchange: Exchange) -> str:
    lines = exchange.errors.text().splitlines()[-5:]
    return "".join(f"\n  {line}" for line in lines)
