"""Threads for what takes longer than a loop may be kept from everybody else."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
THREADS = 2


class Workers:
    """A few threads; what finds none free waits its turn, and who leaves before is not served."""

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="emily-worker")

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        """What FUNCTION returns or raises. Cancelled, it is not begun, or its result is dropped."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, function, *arguments)

    def close(self) -> None:
        """Begin nothing more; what is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
