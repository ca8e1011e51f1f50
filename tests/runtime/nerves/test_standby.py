"""Real processes, really killed: the work goes on."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from emily_runtime.messages import Refused
from emily_runtime.nerves.clock import RealClock
from emily_runtime.nerves.standby import JobFailed, Standby
from tests.runtime.nerves import jobs

T = TypeVar("T")
PRELOAD = ("tests.runtime.nerves.jobs",)


@asynccontextmanager
async def _started(preload: tuple[str, ...] = PRELOAD) -> AsyncIterator[Standby]:
    workers = Standby(RealClock(), preload)
    try:
        async with asyncio.timeout(30):
            await workers.start()
            yield workers
    finally:
        await workers.stop()


def _with_workers(act: Callable[[Standby], Awaitable[T]]) -> T:
    async def run() -> T:
        async with _started() as workers:
            return await act(workers)

    return asyncio.run(run())


def test_a_job_runs_in_another_process() -> None:
    async def act(workers: Standby) -> tuple[int, int]:
        return await workers.call(jobs.square, 7), await workers.call(jobs.who)

    squared, process = _with_workers(act)

    assert squared == 49
    assert process != os.getpid()


def test_a_job_whose_worker_is_killed_is_done_by_the_next_one(tmp_path: Path) -> None:
    async def act(workers: Standby) -> tuple[str, int]:
        return await workers.call(jobs.die_once, tmp_path / "marker"), workers.deaths

    assert _with_workers(act) == ("done", 1)


def test_a_job_that_kills_every_worker_is_refused_and_the_next_one_done() -> None:
    async def act(workers: Standby) -> int:
        with pytest.raises(Refused, match="EMY-7007"):
            await workers.call(jobs.die)
        return await workers.call(jobs.square, 3)

    assert _with_workers(act) == 9


@pytest.mark.parametrize(
    ("job", "error"),
    [
        ((jobs.divide, 0), "ZeroDivisionError: division by zero"),
        ((jobs.leave,), "SystemExit: 3"),
        ((jobs.unspeakable,), "unspeakable"),
    ],
)
def test_a_job_that_raises_says_so_and_costs_no_worker(
    job: tuple[Callable[..., object]], error: str
) -> None:
    async def act(workers: Standby) -> tuple[str, int]:
        with pytest.raises(JobFailed) as failed:
            await workers.call(*job)
        assert "Traceback" in failed.value.story
        return str(failed.value), workers.deaths

    told, deaths = _with_workers(act)

    assert error in told
    assert deaths == 0


def test_an_idle_worker_that_is_killed_is_replaced() -> None:
    async def act(workers: Standby) -> int:
        for process in workers.processes():
            signal.pidfd_send_signal(process, signal.SIGKILL)
        while workers.deaths < 2 or workers.ready() < 2:
            await asyncio.sleep(0.005)
        return await workers.call(jobs.square, 5)

    assert _with_workers(act) == 25


def test_killed_at_random_moments_every_job_is_done_once() -> None:
    async def act(workers: Standby) -> tuple[list[int], int]:
        chance = random.Random(5)
        done = []
        for number in range(30):
            task = asyncio.create_task(workers.call(jobs.slow_square, number, 0.004))
            await asyncio.sleep(chance.uniform(0.0, 0.006))
            victims = workers.processes()
            if victims:
                with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                    signal.pidfd_send_signal(chance.choice(victims), signal.SIGKILL)
            done.append(await task)
        return done, workers.deaths

    done, deaths = _with_workers(act)

    assert done == [number * number for number in range(30)]
    assert deaths >= 20


def test_the_process_that_forks_may_be_killed_too() -> None:
    async def act(workers: Standby) -> int:
        worker = await workers.call(jobs.who)
        status = Path(f"/proc/{worker}/status").read_text()
        parent = next(line for line in status.splitlines() if line.startswith("PPid:"))
        os.kill(int(parent.split()[1]), signal.SIGKILL)
        while workers.deaths < 2:
            await asyncio.sleep(0.005)
        return await workers.call(jobs.square, 6)

    assert _with_workers(act) == 36


def test_a_cancelled_job_leaves_its_worker_dead_and_the_next_job_none_the_wiser() -> None:
    async def act(workers: Standby) -> tuple[float, int, int]:
        begin = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await workers.call(jobs.slow_square, 2, 60.0)
        squared = await workers.call(jobs.square, 2)
        return time.monotonic() - begin, squared, workers.deaths

    took, squared, deaths = _with_workers(act)

    assert took < 30
    assert (squared, deaths) == (4, 0)


def test_large_results_arrive_whole() -> None:
    async def act(workers: Standby) -> bytes:
        return await workers.call(jobs.large, 5_000_000)

    assert _with_workers(act) == bytes(5_000_000)


def test_as_many_jobs_run_at_once_as_there_are_working_and_the_spare_is_kept() -> None:
    async def act(workers: Standby) -> int:
        first = asyncio.create_task(workers.call(jobs.slow_square, 1, 0.1))
        second = asyncio.create_task(workers.call(jobs.slow_square, 2, 0.0))
        await asyncio.sleep(0.05)
        spare = workers.ready()
        await asyncio.gather(first, second)
        return spare

    assert _with_workers(act) == 1


def test_workers_that_can_not_start_are_refused(capfd: pytest.CaptureFixture[str]) -> None:
    class Hurried(RealClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds / 1_000)

    async def run() -> None:
        workers = Standby(Hurried(), ("no_such_module",))
        try:
            with pytest.raises(Refused, match="EMY-7008"):
                await workers.start()
        finally:
            await workers.stop()

    asyncio.run(run())

    assert "no_such_module" in capfd.readouterr().err


CRASHING = """
import asyncio, os, signal
from emily_runtime.nerves.clock import RealClock
from emily_runtime.nerves.standby import Standby
from tests.runtime.nerves import jobs

async def main():
    workers = Standby(RealClock(), ("tests.runtime.nerves.jobs",))
    await workers.start()
    print(await workers.call(jobs.who), flush=True)
    task = asyncio.create_task(workers.call(jobs.slow_square, 1, 600.0))
    await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_no_worker_outlives_a_service_that_is_killed() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CRASHING], stdout=subprocess.PIPE, text=True, timeout=60
    )
    worker = Path(f"/proc/{ended.stdout.strip()}")

    deadline = time.monotonic() + 10
    while worker.exists() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert ended.returncode == -signal.SIGKILL
    assert not worker.exists()
