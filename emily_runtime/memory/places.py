"""The store that a configuration asks for."""

from importlib import import_module
from pathlib import Path

from emily_runtime.config.sections import Memory
from emily_runtime.memory.sqlite import store as sqlite
from emily_runtime.memory.store import Store
from emily_runtime.messages import Refused
from emily_runtime.nerves.clock import Clock


def place(memory: Memory, folder: Path, clock: Clock, password: str = "") -> Store:
    """A closed store, in FOLDER where it is SQLite; PASSWORD is for a PostgreSQL that wants one.

    Refused (EMY-4025) where PostgreSQL is asked for and its library isn't installed: who keeps
    episodes in a file needs none.
    """
    if memory.store == "sqlite":
        return sqlite.SqliteStore(folder, sqlite.Settings(readers=memory.connections))
    try:
        postgres = import_module("emily_runtime.memory.postgres.store")
    except ImportError as error:
        raise Refused("EMY-4025", reason=error) from error
    settings = postgres.Settings(
        memory.dsn or postgres.PEER, password=password, connections=memory.connections
    )
    store: Store = postgres.PostgresStore(settings, clock)
    return store
