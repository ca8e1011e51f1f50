"""A sampler is trained in a process of its own, and the spare takes over where that is killed."""

import asyncio
import os
import signal
from pathlib import Path

from emily_runtime.mind.wishes import Facet, Wish
from tests.runtime.mind.runtimes import running

FACETS = [Facet(name, tuple("abcd"), (0.0, 1.0, 2.0, 3.0)) for name in "pqr"]
WISH = Wish(20, is_trained=True)


async def _busy() -> int:
    """The worker that has computed for a while; its number."""
    while True:
        for number in workers():
            ticks = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[11]
            if int(ticks) >= 10:
                return number
        await asyncio.sleep(0.02)


def workers() -> list[int]:
    """Grandchildren of this process: the workers are forked by a child of it."""
    tasks = Path("/proc/self/task")
    zygotes = [one for task in tasks.iterdir() for one in _children(task)]
    forked = [_children(Path(f"/proc/{zygote}/task/{zygote}")) for zygote in zygotes]
    return [int(one) for numbers in forked for one in numbers]


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split() if task.is_dir() else []


def test_a_killed_training_is_begun_again_by_the_spare_and_that_is_measured(
    tmp_path: Path,
) -> None:
    async def life() -> str:
        async with running(tmp_path) as runtime, asyncio.timeout(120):
            asking = asyncio.create_task(runtime.generate(FACETS, WISH, 7))
            os.kill(await _busy(), signal.SIGKILL)
            found = await asking
            assert (found.flow, found.unique) == ("trained", 20)
            assert found.total_variation is not None
            return (await runtime.exposition()).decode()

    metrics = asyncio.run(life())

    assert "emily_recovery_seconds_count 1.0" in metrics
    assert "emily_gflownet_exact 0.0" in metrics
    assert "emily_gflownet_tv NaN" not in metrics
    assert "emily_gflownet_train_loss NaN" not in metrics


def test_given_up_training_ends_with_its_process(tmp_path: Path) -> None:
    async def life() -> None:
        async with running(tmp_path) as runtime, asyncio.timeout(120):
            asking = asyncio.create_task(runtime.generate(FACETS, WISH, 7))
            number = await _busy()
            asking.cancel()
            while number in workers():
                await asyncio.sleep(0.02)

    asyncio.run(life())
