"""Taking parts as they come, for so long and no longer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def within(parts: AsyncGenerator[T, None], seconds: float) -> AsyncGenerator[T, None]:
    """The same parts; TimeoutError when SECONDS after the first was asked for they still come.

    Each wait has a limit of its own: one around them all would hit whoever takes the parts.
    """
    until = asyncio.get_running_loop().time() + seconds
    async with aclosing(parts):
        while True:
            try:
                async with asyncio.timeout_at(until):
                    part = await anext(parts)
            except StopAsyncIteration:
                return
            yield part
