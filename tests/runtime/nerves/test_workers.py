"""What takes long runs beside the loop, a few at a time, and not at all for who has left."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from emily_runtime.nerves.workers import Workers

SECONDS = 10
"""After which a test that hangs fails."""


def run(act: Callable[[Workers, threading.Event], Awaitable[None]]) -> None:
    """A test with one thread, and an event that its work can wait for."""

    async def act_and_close() -> None:
        workers, free = Workers(threads=1), threading.Event()
        try:
            async with asyncio.timeout(SECONDS):
                await act(workers, free)
        finally:
            free.set()
            workers.close()

    asyncio.run(act_and_close())


def test_the_loop_goes_on_while_they_work() -> None:
    async def act(workers: Workers, free: threading.Event) -> None:
        waiting = asyncio.create_task(workers.call(free.wait, SECONDS))
        await asyncio.sleep(0.01)
        free.set()

        assert await waiting

    run(act)


def test_what_is_raised_there_is_raised_here() -> None:
    async def act(workers: Workers, _: threading.Event) -> None:
        with pytest.raises(ZeroDivisionError):
            await workers.call(divmod, 1, 0)

    run(act)


def test_who_leaves_while_none_is_free_is_not_served() -> None:
    async def act(workers: Workers, free: threading.Event) -> None:
        done: list[str] = []
        busy = asyncio.create_task(workers.call(free.wait, SECONDS))
        await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await workers.call(done.append, "late")
        free.set()
        await busy
        await workers.call(done.append, "next")

        assert done == ["next"]

    run(act)


def test_closed_they_begin_nothing_more() -> None:
    async def act(workers: Workers, _: threading.Event) -> None:
        workers.close()
        with pytest.raises(RuntimeError):
            await workers.call(int)

    run(act)
