"""Which store the configuration, or a person, means."""

from pathlib import Path

from emily_runtime.config import Config
from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.memory.store import Store
from emily_runtime.nerves.clock import Clock

SCHEMES = ("postgresql://", "postgres://")


def store_of(config: Config, state: Path, clock: Clock, password: str = "") -> Store:
    """The configured one; without an address, PostgreSQL is the one of this machine."""
    memory = config.memory
    if memory.store == "sqlite":
        return SqliteStore(state)
    from emily_runtime.memory.postgres.store import PEER, PostgresStore, Settings

    settings = Settings(memory.dsn or PEER, password=password, connections=memory.connections)
    return PostgresStore(settings, clock)


def store_at(place: str, clock: Clock) -> Store:
    """The one at a postgresql:// address, or in a folder."""
    if not place.startswith(SCHEMES):
        return SqliteStore(Path(place))
    from emily_runtime.memory.postgres.store import PostgresStore, Settings

    return PostgresStore(Settings(place), clock)
