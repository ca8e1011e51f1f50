"""The service with a stand-in for its mind, in a process of its own."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from websockets.sync.client import ClientConnection, connect

from tests.runtime.process import ROOT, TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def content(self) -> Any:
        """The body, of JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Served:
    """A started service."""

    process: subprocess.Popen[str]
    port: int
    systemd: socket.socket | None = None
    """What it tells systemd arrives here."""

    def ask(self, path: str, body: object = None, **headers: str) -> Answer:
        """GET, or POST where there is a body: bytes as they are, anything else as JSON."""
        caller = HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        caller.request("GET" if body is None else "POST", path, data, BEARER | named)
        reply = caller.getresponse()
        text = reply.read().decode()
        caller.close()
        lowered = {name.lower(): value for name, value in reply.getheaders()}
        return Answer(reply.status, lowered, text)

    def say(self, text: str) -> Answer:
        """A stimulus; some words make the stand-in misbehave."""
        return self.ask("/api/v1/stimulus", {"text": text})

    def listen(self) -> ClientConnection:
        """A WebSocket."""
        return connect(f"ws://127.0.0.1:{self.port}/ws", additional_headers=BEARER, max_size=None)


@contextmanager
def served(folder: Path, settings: str = "rate = 100000", **environment: str) -> Iterator[Served]:
    """A started one, with some lines for its section of the configuration."""
    (folder / "token").write_text(TOKEN)
    file = folder / "runtime.toml"
    file.write_text(f"[service]\nport = 0\n{settings}\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(folder / "notify"))
        systemd.settimeout(20)
        given = {
            "STATE_DIRECTORY": str(folder),
            "CREDENTIALS_DIRECTORY": str(folder),
            "NOTIFY_SOCKET": str(folder / "notify"),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.runtime.service.standin", str(file)],
            cwd=ROOT, env={**os.environ, **given, **environment}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            status = systemd.recv(4096).decode()
            yield Served(process, int(status.rpartition(":")[2].split("에")[0]), systemd)
        finally:
            process.kill()
            process.communicate()
            (folder / "notify").unlink()
