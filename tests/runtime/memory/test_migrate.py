"""A memory moves to the other kind of store and back, and is the same on arrival."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from emily_runtime.memory.episode import Episode, Tally
from emily_runtime.memory.migrate import Migrated, Progress, migrate
from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.memory.store import Store
from emily_runtime.messages import Refused
from tests.runtime.memory.episodes import HOSTILE, Make, episode, fields, run, series

T = TypeVar("T")


class Failing(SqliteStore):
    """A target that breaks off when it has taken 20 episodes."""

    async def add(self, episodes: Sequence[Episode]) -> int:
        if await self.count() >= 20:
            raise Refused("EMY-4001", place="here", reason="no room")
        return await super().add(episodes)


def between(one: Make, other: Make, story: Callable[[Store, Store], Awaitable[T]]) -> T:
    """A STORY with two open stores."""

    async def whole() -> T:
        source, target = one(), other()
        await source.open()
        await target.open()
        try:
            return await story(source, target)
        finally:
            await source.close()
            await target.close()

    return asyncio.run(whole())


async def copied(source: Store, target: Store) -> Migrated:
    """In small batches."""
    return await migrate(source, target, batch=7)


def test_there_and_back_every_field_is_as_it_was(make: Make, tmp_path: Path) -> None:
    hostile = [episode(1000 + number, text) for number, text in enumerate(HOSTILE)]
    added = [*series(30), *hostile]
    first, last = (
        (lambda: SqliteStore(tmp_path / "first")),
        (lambda: SqliteStore(tmp_path / "last")),
    )
    run(first, lambda store: store.add(added))

    there, back = between(first, make, copied), between(make, last, copied)

    tally = Tally().plus(added)
    assert there == back == Migrated(len(added), 0, len(added), tally.checksum, 0)
    held = run(last, lambda store: store.scan("", 100))
    assert {fields(one) for one in held} == {fields(one) for one in added}


def test_an_attempt_that_was_broken_off_goes_on_where_it_stood(tmp_path: Path) -> None:
    source, target = (lambda: SqliteStore(tmp_path / "a")), (lambda: SqliteStore(tmp_path / "b"))
    run(source, lambda store: store.add(series(50)))
    with pytest.raises(Refused, match="EMY-4001"):
        between(source, lambda: Failing(tmp_path / "b"), copied)

    done = between(source, target, copied)

    assert (done.copied, done.already) == (29, 21)


def test_progress_is_told_and_what_was_there_is_counted(tmp_path: Path) -> None:
    source, target = (lambda: SqliteStore(tmp_path / "a")), (lambda: SqliteStore(tmp_path / "b"))
    run(source, lambda store: store.add(series(20)))
    run(target, lambda store: store.add([*series(5), episode(999)]))
    told: list[Progress] = []

    done = between(source, target, lambda a, b: migrate(a, b, told.append, batch=10))

    assert told == [Progress(10, 5, 20), Progress(20, 15, 20)]
    assert (done.copied, done.already, done.episodes, done.others) == (15, 5, 20, 1)


def test_an_episode_that_differs_is_named_and_left_alone(tmp_path: Path) -> None:
    source, target = (lambda: SqliteStore(tmp_path / "a")), (lambda: SqliteStore(tmp_path / "b"))
    run(source, lambda store: store.add(series(5)))
    other = series(5)[2]._replace(text="something else")
    run(target, lambda store: store.add([other]))

    with pytest.raises(Refused, match="EMY-4030") as why:
        between(source, target, copied)

    assert why.value.values == {"differ": 1, "count": 5, "first": other.identity}
    assert run(target, lambda store: store.get(other.identity)) is not None
