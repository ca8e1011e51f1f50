"""Memory as the mind uses it."""

import asyncio
from pathlib import Path

from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.recollection import Recollection
from emily_runtime.nerves.clock import RealClock
from emily_runtime.nerves.workers import Workers


def test_all_that_are_remembered_at_once_are_counted(tmp_path: Path) -> None:
    async def life() -> tuple[int, int]:
        workers, store = Workers(), SqliteStore(tmp_path)
        memory = Recollection(store, RealClock(), Metrics(), workers)
        await memory.open()
        texts = (memory.remember(f"disk {bay}", [0.5] * 5, "", "") for bay in range(20))
        await asyncio.gather(*texts)
        held = await store.count()
        await store.close()
        workers.close()
        return memory.rows, held

    assert asyncio.run(life()) == (20, 20)
