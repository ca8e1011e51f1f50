"""What systemd is told, by the protocol of sd_notify(3)."""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Notifier:
    """The socket that systemd listens on, or nothing outside of it."""

    address: str | None
    watchdog: float | None
    """Seconds within which systemd wants a sign of life."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Notifier":
        """As systemd sets it up for the main process."""
        path = environment.get("NOTIFY_SOCKET", "")
        abstract = "\0" + path[1:] if path.startswith("@") else path
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        period = environment.get("WATCHDOG_USEC", "") if mine else ""
        seconds = int(period) / 1_000_000 if period.isascii() and period.isdigit() else 0
        return cls(abstract or None, seconds or None)

    def tell(self, *lines: str) -> None:
        """Send lines such as READY=1; a systemd that has gone away is no reason to fail."""
        if self.address is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
            door.setblocking(False)  # noqa: FBT003 - the socket's own signature
            try:
                door.sendto("\n".join(lines).encode(), self.address)
            except OSError:
                return

    def reloading(self) -> None:
        """That a reload begins: systemd takes the next READY=1 for its end."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
