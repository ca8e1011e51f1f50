"""A real rest-server that takes new data and gives none away."""

import base64
import hashlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, WORD = "box", "of-the-host"


@dataclass(frozen=True)
class Server:
    """Where it answers, and the folder that only its keeper reaches."""

    port: int
    data: Path

    @property
    def url(self) -> str:
        """The address for restic, without the password that the environment brings."""
        return f"rest:http://127.0.0.1:{self.port}/{USER}/"

    def ask(self, method: str, path: str, body: bytes = b"") -> int:
        """What HTTP by hand is answered, with all that the host knows."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{USER}/{path}", data=body or None, method=method
        )
        word = base64.b64encode(f"{USER}:{WORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {word}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    """A server of this folder for as long as the block lasts."""
    program = shutil.which("restic-rest-server") or shutil.which("rest-server")
    assert program, "scripts/test brings it"
    folder.mkdir()
    word = base64.b64encode(hashlib.sha1(WORD.encode(), usedforsecurity=False).digest()).decode()
    (folder / ".htpasswd").write_text(f"{USER}:{{SHA}}{word}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, "--path", str(folder), "--listen", f"127.0.0.1:{port}", "--private-repos",
         *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _answers(port)
        yield Server(port, folder / USER)
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "the server does not come up"
            time.sleep(0.02)
        else:
            return
