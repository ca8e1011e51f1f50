"""The real service in a process of its own, with the socket that systemd would listen on."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOKEN = "a-token-for-tests-only"
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Running:
    """A started service."""

    process: subprocess.Popen[str]
    systemd: socket.socket
    port: int

    def told(self) -> list[str]:
        """The next lines that systemd is told."""
        return self.systemd.recv(4096).decode().split("\n")

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def send(self, data: bytes) -> str:
        """Everything that comes back for some bytes until the service closes."""
        with self.connect() as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            return everything(client)

    def get(self, path: str, *headers: str) -> str:
        """What a request for a path gets."""
        lines = [f"GET {path} HTTP/1.1", "Host: test", "Connection: close", *headers]
        return self.send("\r\n".join([*lines, "", ""]).encode())

    def stop(self) -> int:
        """The exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)


def everything(client: socket.socket) -> str:
    """What arrives until the other side closes."""
    chunks = iter(lambda: client.recv(65536), b"")
    return b"".join(chunks).decode()


def configuration(folder: Path, text: str = "") -> Path:
    """A configuration that listens on a free port."""
    file = folder / "runtime.toml"
    file.write_text(text or '[service]\nhost = "127.0.0.1"\nport = 0\n')
    return file


def run(
    *arguments: str | Path, within: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command line to its end."""
    command = [*within, sys.executable, "-m", "emily_runtime", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=_clean(environment), capture_output=True, text=True, timeout=30
    )


@contextmanager
def service(
    folder: Path,
    text: str = "",
    *,
    within: Sequence[str] = (),
    options: Sequence[str] = (),
    **environment: str,
) -> Iterator[Running]:
    """A service that has told systemd that it is ready, run by WITHIN where that is given."""
    (folder / "token").write_text(f"{TOKEN}\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(folder / "notify"))
        systemd.settimeout(60)
        environment |= {"CREDENTIALS_DIRECTORY": str(folder), "NOTIFY_SOCKET": f"{folder}/notify"}
        environment.setdefault("STATE_DIRECTORY", str(folder))
        command = [sys.executable, "-m", "emily_runtime", "serve", "--config"]
        process = subprocess.Popen(
            [*within, *command, str(configuration(folder, text)), *options],
            cwd=ROOT, env=_clean(environment), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            ready, status = systemd.recv(4096).decode().split("\n")
            assert ready == "READY=1"
            yield Running(process, systemd, int(status.split(":")[1].split("에")[0]))
        finally:
            process.kill()
            process.communicate()


def _clean(environment: dict[str, str]) -> dict[str, str]:
    mine = (
        "STATE_DIRECTORY",
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "CREDENTIALS_DIRECTORY",
        "LANG",
    )
    inherited = {name: value for name, value in os.environ.items() if name not in mine}
    return inherited | environment
