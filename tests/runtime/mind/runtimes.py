"""A runtime with a real memory in a folder of its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from emily_runtime.config import read
from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.messages import Refused
from emily_runtime.mind.runtime import Parts, Runtime
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.structs import Reply
from emily_runtime.nerves.clock import Clock, RealClock, VirtualClock
from emily_runtime.nerves.psi import Watch
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.model import Completion, Prompt

PING = "[reflexes.ping]\nwords = ['ping']\nreply = 'pong'\n"


class Parrot:
    """A provider that says what it was asked and told, or fails as often as it is told to."""

    name = "parrot"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.failures = 0
        self.is_open = True

    def ceiling(self, _: Prompt, /) -> int:
        return 7

    async def complete(self, prompt: Prompt) -> Completion:
        if self.failures:
            self.failures -= 1
            raise Refused("EMY-2007", limit=1)
        known = prompt.system.splitlines()[2:]
        self.said.append(" ".join([prompt.messages[0].text, *known]))
        return Completion(self.said[-1], "parrot", "grey", 1, 1, 7)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Completion, None]:
        yield await self.complete(prompt)

    async def close(self) -> None:
        self.is_open = False


@asynccontextmanager
async def running(
    folder: Path,
    *,
    text: str = PING,
    voice: Parrot | None = None,
    clock: Clock | None = None,
    store: SqliteStore | None = None,
    watch: Watch | None = None,
) -> AsyncIterator[Runtime]:
    """A started one."""
    file = folder / "runtime.toml"
    file.write_text(text)
    clock = clock or RealClock()
    budget = Budget(folder / "budget.sqlite", clock=clock)
    parts = Parts(store or SqliteStore(folder), voice or Parrot(), budget)
    runtime = Runtime(read(file), clock, folder, parts)
    runtime.watch = watch
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop()


def lived(
    folder: Path,
    life: Callable[[Runtime], Awaitable[None]],
    voice: Parrot | None = None,
    text: str = PING,
) -> None:
    """A runtime's whole life."""

    async def all_of_it() -> None:
        async with running(folder, text=text, voice=voice) as runtime:
            await life(runtime)

    asyncio.run(all_of_it())


async def asked(runtime: Runtime, clock: VirtualClock, text: str) -> Reply:
    """What is replied to a text while virtual time goes on."""
    asking = asyncio.create_task(runtime.stimulate(Stimulus(text)))
    while not asking.done():
        await clock.elapse(0.05)
        await asyncio.sleep(0.001)
    return await asking
