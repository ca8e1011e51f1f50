"""Row 6: an attention by HTTP, with its token and its metrics, asked for by wrk.

Both sides are servers in processes of their own; what is compared is their processor time for a
request. The time that callers wait is of the wall clock, and tells nothing on a busy machine.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import emily_runtime
from emily_runtime.bench.peers.peer import Absent, Around, interpreter
from emily_runtime.bench.row import NOT_RUN, Row, not_run, ratio

ROUNDS = 5
SECONDS = 2
CONNECTIONS = 32
P95_MS = 15.0
GOAL = 1.6
TOKEN = "a-token-for-the-benchmark"  # noqa: S105
ROOT = str(Path(emily_runtime.__file__).parents[1])
WHAT = f"POST /api/v1/attention, {CONNECTIONS} connections"
SCRIPT = f"""
wrk.method = "POST"
wrk.body = '{{"signals":[0.1,0.9,0.4,0.7,0.2,0.6,0.3,0.8,0.5,1.0]}}'
wrk.headers["Authorization"] = "Bearer {TOKEN}"
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency, _)
  local e = summary.errors
  io.write(string.format("told %d %d %d\\n", summary.requests, latency:percentile(95),
    e.status + e.connect + e.read + e.write + e.timeout))
end
"""


class Round(NamedTuple):
    """What one round came to."""

    cpu_us: float
    """Of the server, for a request."""
    p95_ms: float
    rate: float


def rows(around: Around) -> list[Row]:
    """The time callers wait, and the work for a request beside FastAPI's."""
    wait, work = f"p95 at most {P95_MS:g} ms", f"{GOAL} times FastAPI"
    if not shutil.which("wrk"):
        return [not_run(number, WHAT, wait, "wrk is not installed") for number in ("6a", "6b")]
    sides = {"ours": [sys.executable, "-m", "emily_runtime", "serve", "--config"]}
    python = interpreter(around, "fastapi, uvicorn, msgspec")
    if not isinstance(python, Absent):
        sides["fastapi"] = [python, "-m", "emily_runtime.bench.peers.by_fastapi"]
    rounds: dict[str, list[Round]] = {side: [] for side in sides}
    with TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for side, taken in rounds.items():
                taken.append(_asked(sides[side], Path(folder)))
    p95 = median(one.p95_ms for one in rounds["ours"])
    work_us = median(one.cpu_us for one in rounds["ours"])
    is_busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    held = True if p95 <= P95_MS else None if is_busy else False
    rate = median(one.rate for one in rounds["ours"])
    first = Row("6a", WHAT, f"p95 {p95:.1f} ms, {rate:,.0f}/s", NOT_RUN, NOT_RUN, wait, held)
    if "fastapi" not in rounds:
        return [first, not_run("6b", WHAT, work, "fastapi is not installed")]
    times = {side: [one.cpu_us for one in each] for side, each in rounds.items()}
    faster = ratio(times["fastapi"], times["ours"])
    peer = f"{median(times['fastapi']):.0f} µs by FastAPI, without token and metrics"
    what = "processor time of that request"
    ours = f"{work_us:.0f} µs"
    return [first, Row("6b", what, ours, peer, str(faster), work, faster.reaches(GOAL))]


def _asked(command: list[str], folder: Path) -> Round:
    """One round against a fresh server."""
    with _server(command, folder) as (process, port):
        script = folder / "ask.lua"
        script.write_text(SCRIPT, encoding="utf-8")
        _wrk(port, script, 1)
        before = _cpu(process.pid)
        requests, p95_us, errors = _wrk(port, script, SECONDS)
        taken = _cpu(process.pid) - before
    assert not errors, f"{errors} requests failed"
    return Round(taken / requests * 1e6, p95_us / 1000, requests / SECONDS)


def _wrk(port: int, script: Path, seconds: int) -> tuple[int, int, int]:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
    url = f"http://127.0.0.1:{port}/api/v1/attention"
    told = subprocess.run([*command, url], capture_output=True, text=True, check=True)  # noqa: S603
    found = re.search(r"told (\d+) (\d+) (\d+)", told.stdout)
    assert found, told.stdout
    return int(found[1]), int(found[2]), int(found[3])


def _cpu(process: int) -> float:
    """Seconds that a process has had of the processor, by proc_pid_stat(5)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _server(command: list[str], folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "token").write_text(TOKEN, encoding="ascii")
    config = folder / "runtime.toml"
    config.write_text(f"[service]\nport = {port}\nrate = 1000000\n", encoding="ascii")
    folders = {name: str(folder) for name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY")}
    environment = os.environ | folders | {"PYTHONPATH": ROOT}
    with subprocess.Popen([*command, str(config)], env=environment) as process:  # noqa: S603
        try:
            _until_open(port)
            yield process, port
        finally:
            process.send_signal(signal.SIGTERM)


def _until_open(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")
