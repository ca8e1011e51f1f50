"""A server in a process of its own, what it takes, and wrk, which asks it."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import emily_runtime
from emily_runtime.bench import processes

TOKEN = "a-token-for-the-benchmark"  # noqa: S105
OURS = (sys.executable, "-m", "emily_runtime", "serve", "--config")
ROOT = str(Path(emily_runtime.__file__).parents[1])


class Server(NamedTuple):
    """One that listens."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def cpu(self) -> float:
        """Seconds that it has had of the processor."""
        return processes.cpu(self.process.pid)

    @property
    def size(self) -> float:
        """MiB that it holds."""
        return processes.size(self.process.pid)


class Told(NamedTuple):
    """What wrk counted."""

    requests: int
    p95_ms: float
    errors: int
    """Connections that broke, and requests with no answer."""
    good: int
    shed: int
    """503 or 429 with Retry-After."""
    other: int


@contextmanager
def server(
    command: Sequence[str], folder: Path, settings: str = "rate = 1000000", most: int = 0
) -> Iterator[Server]:
    """COMMAND with the file of its configuration behind; MOST MiB of private memory, or any."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "token").write_text(TOKEN, encoding="ascii")
    config = folder / "runtime.toml"
    config.write_text(f"[service]\nport = {port}\n{settings}\n", encoding="ascii")
    folders = {name: str(folder) for name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY")}
    environment = os.environ | folders | {"PYTHONPATH": ROOT}
    limit = partial(_limited, most << 20) if most else None
    with subprocess.Popen(  # noqa: S603 - ourselves, or a peer
        [*command, str(config)],
        env=environment,
        preexec_fn=limit,
    ) as process:
        try:
            _until_open(port)
            yield Server(process, port)
        finally:
            process.send_signal(signal.SIGTERM)


def wrk(port: int, script: Path, seconds: float, connections: int) -> Told:
    """SCRIPT is one of ours, with COUNT behind its requests."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds:.0f}s",
        "--timeout",
        "30s",
        "-s",
        str(script),
    ]
    told = subprocess.run(  # noqa: S603
        [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True
    )
    found = re.search(r"told (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", told.stdout)
    assert found, told.stdout
    requests, p95, *rest = map(int, found.groups())
    return Told(requests, p95 / 1000, *rest)


def posted(path: str, *bodies: str) -> str:
    """A script that posts BODIES in turn."""
    return _script([("POST", path, body) for body in bodies])


def mixed(requests: Sequence[tuple[str, str, str]]) -> str:
    """A script that sends (method, path, body) in turn."""
    return _script(requests)


def _script(requests: Sequence[tuple[str, str, str]]) -> str:
    made = "\n".join(
        f"made[{at}] = wrk.format({method!r}, {path!r}, nil, {'nil' if not body else repr(body)})"
        for at, (method, path, body) in enumerate(requests)
    )
    return _SCRIPT.format(token=TOKEN, made=made, number=len(requests))


_SCRIPT = """
local made, at = {{}}, -1
local threads = {{}}
function setup(thread) table.insert(threads, thread) end
function init()
  good, shed, other = 0, 0, 0
  wrk.headers["Authorization"] = "Bearer {token}"
  wrk.headers["Content-Type"] = "application/json"
  {made}
end
function request()
  at = (at + 1) % {number}
  return made[at]
end
function response(status, headers)
  if status < 400 then good = good + 1
  elseif status == 503 or status == 429 then
    if headers["Retry-After"] or headers["retry-after"] then shed = shed + 1
    else other = other + 1 end
  else other = other + 1 end
end
function done(summary, latency)
  local e, counts = summary.errors, {{0, 0, 0}}
  for _, thread in ipairs(threads) do
    for place, name in ipairs({{"good", "shed", "other"}}) do
      counts[place] = counts[place] + thread:get(name)
    end
  end
  io.write(string.format("told %d %d %d %d %d %d\\n", summary.requests, latency:percentile(95),
    e.connect + e.read + e.write + e.timeout, counts[1], counts[2], counts[3]))
end
"""


def _limited(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _until_open(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")
