"""Row 5: how long a failure lasts, by the clock on the wall."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from emily_runtime.bench.row import Row, by_the_clock
from emily_runtime.nerves.clock import RealClock
from emily_runtime.nerves.ring import Ring
from emily_runtime.nerves.standby import Standby
from emily_runtime.nerves.supervise import Patience, Supervisor

FAILURES = 2_000
KILLS = 60
SPAWNS = 20
_SECOND = 1e9


def rows() -> list[Row]:
    """Two rows."""
    fresh = sorted(_fresh() for _ in range(SPAWNS))
    tasks, workers = sorted(asyncio.run(_tasks())), sorted(asyncio.run(_workers()))
    peer = f"{_p(fresh, 50) * 1e3:.0f} / {_p(fresh, 95) * 1e3:.0f} ms by a fresh interpreter"
    times = _p(fresh, 95) / _p(workers, 95)
    return [
        Row("5", "a failed task handles its next message, p50 / p95",
            f"{_p(tasks, 50) * 1e6:.0f} / {_p(tasks, 95) * 1e6:.0f} µs", peer,
            f"{_p(fresh, 95) / _p(tasks, 95):,.0f}", "p95 at most 0.1 ms",
            by_the_clock(held=_p(tasks, 95) <= 1e-4)),
        Row("5b", "a killed worker's job is done by the spare, p50 / p95",
            f"{_p(workers, 50) * 1e3:.2f} / {_p(workers, 95) * 1e3:.2f} ms", peer, f"{times:.3g}",
            "p95 at most 5 ms, and 40 times a fresh interpreter",
            by_the_clock(held=_p(workers, 95) <= 5e-3 and times >= 40)),
    ]  # fmt: skip


def _p(ordered: list[float], per_cent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * per_cent // 100)]


def _fresh() -> float:
    """Seconds until a new interpreter with NumPy has answered."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import numpy"], check=True)
    return time.perf_counter() - begin


async def _tasks() -> list[float]:
    """Seconds from what a task raised to its next message, for every failure."""
    clock, ring, took = RealClock(), Ring[int](1024), list[float]()
    supervisor = Supervisor(clock, lambda _: None)
    cursor = ring.cursor()
    failed_at = 0

    async def work() -> None:
        nonlocal failed_at
        while True:
            await cursor.wait()
            if cursor.read(1).items[0]:
                failed_at = clock.monotonic_ns()
                raise RuntimeError
            took.append((clock.monotonic_ns() - failed_at) / _SECOND)

    supervisor.start("work", work, Patience(pause=0.0, most=FAILURES + 1))
    while len(took) < FAILURES:
        ring.put(1)
        ring.put(0)
        goal = len(took) + 1
        while len(took) < goal:
            await asyncio.sleep(0)
    await supervisor.stop()
    return took


async def _workers() -> list[float]:
    """Seconds from the kill of a working worker to the result by another one."""
    clock, took = RealClock(), []
    workers = Standby(clock, ("numpy", __name__))
    await workers.start()
    with TemporaryDirectory() as folder:
        for number in range(KILLS):
            marker = Path(folder, str(number))
            job = asyncio.create_task(workers.call(hang_once, marker))
            while not (marker.exists() and marker.stat().st_size):
                await asyncio.sleep(0.001)
            begin = clock.monotonic_ns()
            os.kill(int(marker.read_text()), signal.SIGKILL)
            await job
            took.append((clock.monotonic_ns() - begin) / _SECOND)
            while workers.ready() < 2:
                await asyncio.sleep(0.001)
    await workers.stop()
    return took


def hang_once(marker: Path) -> None:
    """The job: whoever is the first at it never ends."""
    if not marker.exists():
        marker.write_text(str(os.getpid()))
        time.sleep(600)
