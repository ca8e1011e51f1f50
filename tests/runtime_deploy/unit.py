"""A service as systemd runs it: handed its socket, and up once it says so."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.hosts import ROOT

HANDED = Path(__file__).with_name("handed.py")
PATIENCE = 30.0


@dataclass
class Unit:
    """One process."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self) -> None:
        """SIGTERM, and its end."""
        self.process.terminate()
        self.process.wait(20)

    def kill(self) -> None:
        """SIGKILL, and its end."""
        self.process.kill()
        self.process.wait()


def started(
    command: list[str], folder: Path, handed: socket.socket, environment: Mapping[str, str]
) -> Unit | None:
    """The process once it is ready; nothing where it ends before."""
    door = folder / "notify"
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": str(door), **environment
    }  # fmt: skip
    door.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(door))
        notify.settimeout(0.05)
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-S", HANDED, str(handed.fileno()), *command],
                env=environment,
                pass_fds=(handed.fileno(),), stdout=log, stderr=log,
            )  # fmt: skip
        unit = Unit(process, folder / "log")
        if _says_ready(process, notify):
            return unit
        unit.kill()
        return None


def _says_ready(process: "subprocess.Popen[bytes]", notify: socket.socket) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            if b"READY=1" in notify.recv(4096):
                return True
        except TimeoutError:
            continue
    return False
