"""Row 16: how soon the service is ready, how much it holds idle, and how long a demo takes."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from emily_runtime.bench.peers.peer import Absent, Around, interpreter
from emily_runtime.bench.processes import cpu, size
from emily_runtime.bench.row import Row, by_the_clock, not_run, ratio

STARTS = 7
SETTLED = 1.0
"""Seconds after READY at which memory is looked at."""
SECONDS, SIZE, DEMO = 0.7, 95, 1.0
_PEER = "import langgraph.graph, sys; sys.stdout.write('READY=1'); sys.stdout.flush(); input()"
_NAME = "import langgraph"


class Start(NamedTuple):
    """One process, or all that it has started."""

    seconds: float
    """By the clock, until it is ready."""
    cpu: float
    """Seconds of the processor until then."""
    size: float
    """MiB that the process itself holds."""


def rows(around: Around) -> list[Row]:
    """Whole processes in turn, beside `import langgraph`."""
    python = interpreter(around, "langgraph")
    ours, peers = [], []
    for number in range(STARTS + 1):
        mine = _started()
        theirs = None if isinstance(python, Absent) else _imported(python)
        if number:
            ours.append(mine)
            peers += [theirs] if theirs else []
    return [
        _row("16a", "start to READY, by the clock", [one.seconds for one in ours],
             [one.seconds for one in peers], (SECONDS, "s")),
        _row("16b", "the same, processor time", [one.cpu for one in ours],
             [one.cpu for one in peers], (SECONDS, "s")),
        _row("16c", f"memory, idle {SETTLED:g} s later", [one.size for one in ours],
             [one.size for one in peers], (SIZE, "MiB")),
        _demonstrated(),
    ]  # fmt: skip


def _row(
    number: str, what: str, ours: list[float], peers: list[float], goal: tuple[float, str]
) -> Row:
    most, unit = goal
    wanted = f"{most:g} {unit}, and below {_NAME}"
    mine = f"{median(ours):.3g} {unit}"
    is_within = median(ours) <= most
    held = by_the_clock(held=is_within) if number == "16a" else is_within
    if not peers:
        absent = not_run(number, what, wanted, "langgraph is not installed")
        return absent._replace(ours=mine, held=held)
    found = ratio(peers, ours)
    return Row(number, what, mine, f"{median(peers):.3g} {unit}, {_NAME}", str(found), wanted,
               held and found.reaches(1.0))  # fmt: skip


def _demonstrated() -> Row:
    """The whole command, as a person waits for it."""
    command, times = [sys.executable, "-m", "emily_runtime", "demo"], list[float]()
    for _ in range(STARTS):
        begin = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        times.append(perf_counter() - begin)
    return Row("16d", "one stimulus explained by the demo, by the clock",
               f"{median(times):.3g} s", "none needed", f"{max(times):.3g} s at most",
               f"under {DEMO:g} s", by_the_clock(held=median(times) < DEMO))  # fmt: skip


def _started() -> Start:
    with tempfile.TemporaryDirectory(prefix="emily-bench-") as folder, _notified(folder) as door:
        Path(folder, "token").write_text("a-token-for-the-benchmark")
        file = Path(folder, "runtime.toml")
        file.write_text("[service]\nport = 0\n")
        command = [sys.executable, "-m", "emily_runtime", "serve", "--config", str(file)]
        environment = dict.fromkeys(("STATE_DIRECTORY", "RUNTIME_DIRECTORY"), folder)
        environment |= {"CREDENTIALS_DIRECTORY": folder, "NOTIFY_SOCKET": f"{folder}/notify"}
        begin = perf_counter()
        with subprocess.Popen(command, env=os.environ | environment) as process:  # noqa: S603
            try:
                while b"READY=1" not in door.recv(4096):
                    pass
                seconds, spent = perf_counter() - begin, cpu(process.pid)
                door.settimeout(SETTLED)
                try:
                    while door.recv(4096):
                        pass
                except TimeoutError:
                    pass
                return Start(seconds, spent, size(process.pid))
            finally:
                process.kill()


def _notified(folder: str) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind(f"{folder}/notify")
    door.settimeout(30)
    return door


def _imported(python: str) -> Start:
    begin = perf_counter()
    with subprocess.Popen(  # noqa: S603 - an interpreter that was named on the command line
        [python, "-c", _PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.read(len("READY=1"))
        found = Start(perf_counter() - begin, cpu(process.pid), size(process.pid))
        process.kill()
    return found
