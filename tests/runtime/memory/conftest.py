"""Every member of the Store contract, each empty."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emily_runtime.memory.postgres.store import PostgresStore, Settings
from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.nerves.clock import RealClock
from tests.runtime.memory.episodes import Make
from tests.runtime.memory.servers import (
    Elsewhere,
    Reachable,
    Server,
    served,
    with_pgvector,
    without_pgvector,
)

MEMBERS = ["sqlite", "pgvector", "plain"]
_schemas = (f"s{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def pgvector() -> Iterator[Reachable]:
    """A server that has pgvector: the one whose DSN is in EMILY_POSTGRESQL, or one of our own."""
    if dsn := os.environ.get("EMILY_POSTGRESQL"):
        yield Elsewhere(dsn)
        return
    with served(with_pgvector()) as server:
        yield server


@pytest.fixture(scope="session")
def plain() -> Iterator[Server]:
    """A server as Debian ships it."""
    with served(without_pgvector()) as server:
        yield server


@pytest.fixture(params=MEMBERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """A handle to the same memory with every call."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path)
    return on(request.getfixturevalue(request.param))


def on(server: Reachable, **settings: Any) -> Make:
    """An empty memory on a server."""
    schema = f"{next(_schemas)}_{os.getpid()}"
    settings = {"wait": 60.0} | settings  # however busy the machine is
    return lambda: PostgresStore(Settings(server.dsn, schema=schema, **settings), RealClock())
