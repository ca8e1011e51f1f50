"""A process that remembers until it is killed, or until there is no room; see the tests."""

import asyncio
import os
import sys
from pathlib import Path

from emily_runtime.memory.sqlite.store import Settings, SqliteStore
from emily_runtime.messages import Refused
from tests.runtime.memory.episodes import episode, series

BALLAST = 300_000


def tell(line: str) -> None:
    """At once, whatever happens next."""
    os.write(1, f"{line}\n".encode())


async def for_ever(folder: Path, seed: int) -> None:
    """Several add at once and tell what is committed; now and then old texts are packed."""
    store = SqliteStore(folder, Settings(readers=1, wait=60.0))
    await store.open()
    tell("open")

    async def add(begin: int) -> None:
        for number in range(begin, 1_000_000, 4):
            one = episode(number, seed=seed)
            await store.add([one])
            tell(one.identity)

    async def shrink() -> None:
        while True:
            await store.shrink(10)
            await asyncio.sleep(0.01)

    await asyncio.gather(*map(add, range(4)), shrink())


async def until_full(folder: Path) -> None:
    """Fill a small disk, read, make room, go on."""
    ballast = folder / "ballast"
    ballast.write_bytes(b"x" * BALLAST)
    store = SqliteStore(folder)
    await store.open()
    stored = 0
    try:
        while True:
            stored += await store.add(series(10, begin=stored))
    except Refused as refused:
        tell(refused.told("en").splitlines()[0])
    tell(f"{await store.count() == stored} {(await store.health()).well}")
    ballast.unlink()
    tell(f"{await store.add([episode(1_000_000)])} {(await store.health()).well}")
    await store.close()


if __name__ == "__main__":
    what, where, *rest = sys.argv[1:]
    story = for_ever(Path(where), int(rest[0])) if what == "kill" else until_full(Path(where))
    asyncio.run(story)
