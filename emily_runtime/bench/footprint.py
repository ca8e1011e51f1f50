"""Row 16: how much an idle runtime holds, and how long it takes to be ready."""

import os
import socket
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

from emily_runtime.bench.row import NOT_RUN, Row

STARTS = 5
SETTLED = 1.0
"""Seconds after READY at which memory is looked at."""


def rows() -> list[Row]:
    """Whole processes, beside `import langgraph` where that is installed."""
    found = [_started() for _ in range(STARTS)]
    seconds, size = (median(column) for column in zip(*found, strict=True))
    has_peer = find_spec("langgraph") is not None
    peers = [_imported() for _ in range(STARTS)] if has_peer else []
    peer = f"{median(peers):.2f} s, import langgraph" if peers else "langgraph is not installed"
    is_calm = os.getloadavg()[0] <= (os.cpu_count() or 1)
    held = size <= 95 and seconds <= 0.7
    return [
        Row(
            "16",
            "start to READY, and idle memory",
            f"{seconds:.2f} s; {size:.0f} MiB",
            peer,
            f"{median(peers) / seconds:.2f}" if peers else NOT_RUN,
            "0.7 s; 95 MiB",
            held if is_calm or held else None,
        )
    ]


def _started() -> tuple[float, float]:
    """Seconds to READY, and MiB a second later."""
    with tempfile.TemporaryDirectory(prefix="emily-bench-") as folder, _notified(folder) as door:
        Path(folder, "token").write_text("a-token-for-the-benchmark")
        file = Path(folder, "runtime.toml")
        file.write_text("[service]\nport = 0\n")
        command = [sys.executable, "-m", "emily_runtime", "serve", "--config", str(file)]
        environment = dict.fromkeys(("STATE_DIRECTORY", "RUNTIME_DIRECTORY"), folder)
        environment |= {"CREDENTIALS_DIRECTORY": folder, "NOTIFY_SOCKET": f"{folder}/notify"}
        begin = perf_counter()
        process = subprocess.Popen(command, env=os.environ | environment)  # noqa: S603 - ourselves
        try:
            while b"READY=1" not in door.recv(4096):
                pass
            seconds = perf_counter() - begin
            door.settimeout(SETTLED)
            try:
                while door.recv(4096):
                    pass
            except TimeoutError:
                pass
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        finally:
            process.kill()
            process.wait()
    return seconds, pages * os.sysconf("SC_PAGESIZE") / 2**20


def _notified(folder: str) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind(f"{folder}/notify")
    door.settimeout(30)
    return door


def _imported() -> float:
    begin = perf_counter()
    subprocess.run([sys.executable, "-c", "import langgraph.graph"], check=True)
    return perf_counter() - begin
