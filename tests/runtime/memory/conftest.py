"""Every member of the Store contract, each empty."""

from pathlib import Path

import pytest

from emily_runtime.memory.sqlite.store import SqliteStore
from tests.runtime.memory.episodes import Make


@pytest.fixture(params=["sqlite"])
def make(tmp_path: Path) -> Make:
    """A handle to the same memory with every call."""
    return lambda: SqliteStore(tmp_path)
