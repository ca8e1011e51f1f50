"""Two instances that share one listening socket, as systemd would start them."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtime.process import ROOT, TOKEN, configuration

STARTER = """
import os, sys
count = int(sys.argv[1])
for number in range(count):
    os.dup2(int(sys.argv[2 + number]), 3 + number)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(count)
os.execv(sys.executable, [sys.executable, "-m", "emily_runtime", *sys.argv[2 + count:]])
"""


class OwnSocket(http.client.HTTPConnection):
    """HTTP by a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("control", timeout=10)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(str(self.path))


@dataclass(frozen=True)
class Instance:
    """One colour."""

    process: subprocess.Popen[str]
    systemd: socket.socket
    folder: Path

    def told(self) -> list[str]:
        """The next lines that systemd is told."""
        return self.systemd.recv(4096).decode().split("\n")

    def ask(self, method: str, path: str) -> tuple[int, Any]:
        """Status and content by its own socket."""
        caller = OwnSocket(self.folder / "control.sock")
        caller.request(method, path)
        reply = caller.getresponse()
        content = json.loads(reply.read())
        caller.close()
        return reply.status, content


@contextmanager
def instance(
    folder: Path, shared: socket.socket, colour: str, **environment: str
) -> Iterator[Instance]:
    """A started one; FOLDER is what all colours have in common."""
    own = folder / colour
    own.mkdir(exist_ok=True)
    (folder / "token").write_text(TOKEN)
    arguments = ["serve", "--config", str(configuration(folder)), "--colour", colour]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(own / "notify"))
        systemd.settimeout(20)
        environment = {
            **os.environ,
            "CREDENTIALS_DIRECTORY": str(folder),
            "NOTIFY_SOCKET": str(own / "notify"),
            "RUNTIME_DIRECTORY": str(own),
            "STATE_DIRECTORY": str(folder),
        } | environment
        process = subprocess.Popen(
            [sys.executable, "-c", STARTER, "1", str(shared.fileno()), *arguments],
            cwd=ROOT, env=environment, pass_fds=[shared.fileno()],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert systemd.recv(4096).startswith(b"READY=1")
            yield Instance(process, systemd, own)
        finally:
            process.kill()
            process.communicate()
            (own / "notify").unlink()
