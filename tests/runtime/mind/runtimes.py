"""A runtime with a real memory in a folder of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from emily_runtime.config import read
from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.messages import Refused
from emily_runtime.mind.acting import Spoken
from emily_runtime.mind.runtime import Parts, Runtime
from emily_runtime.nerves.clock import Clock, RealClock
from emily_runtime.providers.budget import Budget

PING = "[reflexes.ping]\nwords = ['ping']\nreply = 'pong'\n"


class Parrot:
    """A voice that says what it was asked, or fails as often as it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []
        self.failures = 0

    async def answer(self, asked: str, recalled: Sequence[str], /) -> Spoken:
        self.asked.append(asked)
        if self.failures:
            self.failures -= 1
            raise Refused("EMY-2007", limit=1)
        self.said.append(f"{asked} {' '.join(recalled)}".strip())
        return Spoken(self.said[-1], "parrot", 7)


@asynccontextmanager
async def running(
    folder: Path, *, text: str = PING, voice: Parrot | None = None, clock: Clock | None = None
) -> AsyncIterator[Runtime]:
    """A started one."""
    file = folder / "runtime.toml"
    file.write_text(text)
    clock = clock or RealClock()
    budget = Budget(folder / "budget.sqlite", clock=clock)
    parts = Parts(SqliteStore(folder), voice or Parrot(), budget)
    runtime = Runtime(read(file), clock, folder, parts)
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop()
