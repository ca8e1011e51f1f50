"""Which store the configuration, or a person, means."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol, runtime_checkable

from emily_runtime.breaker import Breaker
from emily_runtime.config import Config, credential
from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.memory.store import Store
from emily_runtime.messages import Refused
from emily_runtime.nerves.clock import Clock, RealClock

SCHEMES = ("postgresql://", "postgres://")


def store_of(config: Config, state: Path, clock: Clock, password: str = "") -> Store:
    """The configured one; without an address, PostgreSQL is the one of this machine."""
    memory = config.memory
    if memory.store == "sqlite":
        return SqliteStore(state)
    server = _postgresql()
    dsn = memory.dsn or server.PEER
    settings = server.Settings(dsn, password=password, connections=memory.connections)
    store: Store = server.PostgresStore(settings, clock)
    return store


def store_by_hand(config: Config, state: Path, environment: Mapping[str, str]) -> Store:
    """The configured one, outside of the service; Refused where its password is not to be had."""
    name = config.memory.password
    password = credential(name, environment) if name else ""
    return store_of(config, state, RealClock(), password)


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    """A store for as long as it is needed; Refused where it cannot be opened."""
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@runtime_checkable
class Guarded(Protocol):
    """A store that is left alone for a while where it keeps failing."""

    breaker: Breaker


def breaker_of(kind: str, store: Store) -> Mapping[str, Breaker]:
    """The breaker before a store, by the store's kind, where it has one."""
    return {kind: store.breaker} if isinstance(store, Guarded) else {}


def store_at(place: str, clock: Clock) -> Store:
    """The one at a postgresql:// address, or in a folder."""
    if not place.startswith(SCHEMES):
        return SqliteStore(Path(place))
    server = _postgresql()
    store: Store = server.PostgresStore(server.Settings(place), clock)
    return store


def _postgresql() -> ModuleType:
    """Its part of the memory; Refused (EMY-4025) where the library isn't installed."""
    try:
        return import_module("emily_runtime.memory.postgres.store")
    except ImportError as error:
        raise Refused("EMY-4025", reason=error) from error
