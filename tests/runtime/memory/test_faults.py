"""Whatever is wrong with the disk is said with a code and a way out, and nothing is made worse."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from emily_runtime.memory.sqlite.store import NAME, Settings, SqliteStore
from emily_runtime.memory.store import Store
from emily_runtime.messages import Refused
from tests.runtime.memory.episodes import episode, run, series
from tests.runtime.memory.test_kills import ROOT


def refused(folder: Path) -> Refused:
    """Why a memory can't be opened."""
    with pytest.raises(Refused) as why:
        run(lambda: SqliteStore(folder), lambda store: store.count())
    assert "Traceback" not in why.value.told("en") + why.value.told("ko")
    return why.value


@contextmanager
def nobody() -> Iterator[Path]:
    """A folder of root's, seen as somebody else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(lambda: SqliteStore(folder), lambda store: store.add(series(2)))
        folder.chmod(0o555)
        (folder / NAME).chmod(0o444)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


@contextmanager
def limited(size: int) -> Iterator[None]:
    """No file of this process may grow beyond SIZE bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_stops_no_reader_and_ends_when_there_is_room(tmp_path: Path) -> None:
    child = f"{sys.executable} -m tests.runtime.memory.remembering full {tmp_path}"
    script = f"mount -t tmpfs -o size=2m none {tmp_path} && exec {child}"
    own_mounts = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*own_mounts, "true"], capture_output=True).returncode:
        pytest.skip("this machine allows no namespaces")

    done = subprocess.run([*own_mounts, script], cwd=ROOT, capture_output=True, text=True)

    full, still, again = done.stdout.splitlines()
    assert full.startswith("EMY-4001: ")
    assert "database or disk is full" in full
    assert (still, again) == ("True False", "1 True")


def test_a_disk_that_fails_in_between_loses_nothing_and_is_used_again(tmp_path: Path) -> None:
    async def story(store: Store) -> tuple[int, int, bool]:
        await store.add(series(5))
        with limited(1000), pytest.raises(Refused, match="EMY-4006"):
            await store.add(series(20, begin=5))
        stored, well = await store.count(), (await store.health()).well
        return stored, await store.add(series(20, begin=5)), well

    assert run(lambda: SqliteStore(tmp_path), story) == (5, 20, False)


def test_a_folder_that_cannot_be_written_to_is_refused() -> None:
    with nobody() as folder:
        why = refused(folder)

    assert why.code == "EMY-4002"
    assert str(folder / NAME) in why.told("en")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert refused(tmp_path / "file" / "folder").code == "EMY-4002"


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("Dear diary, " * 1000)

    assert refused(tmp_path).code == "EMY-4003"
    assert (tmp_path / NAME).read_text() == "Dear diary, " * 1000


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute("create table t (x)")
    before = (tmp_path / NAME).read_bytes()

    assert refused(tmp_path).code == "EMY-4009"
    assert (tmp_path / NAME).read_bytes() == before


def test_the_layout_of_a_later_release_is_refused_and_left_alone(tmp_path: Path) -> None:
    run(lambda: SqliteStore(tmp_path), lambda store: store.add(series(2)))
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute("pragma user_version = 99")

    why = refused(tmp_path)

    assert why.code == "EMY-4004"
    assert "has layout 99; this release knows 1" in why.told("en")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_damage_is_noticed_by_who_reads_it(tmp_path: Path, share: float) -> None:
    run(lambda: SqliteStore(tmp_path), lambda store: store.add(series(300)))
    whole = bytearray((tmp_path / NAME).read_bytes())
    begin = int(len(whole) * share) // 4096 * 4096
    whole[begin : begin + 8192] = os.urandom(8192)
    (tmp_path / NAME).write_bytes(whole)

    async def read(store: Store) -> None:
        await store.checksum()
        for one in series(300):
            await store.by_text(one.text, 300)

    with pytest.raises(Refused, match="EMY-4003"):
        run(lambda: SqliteStore(tmp_path), read)


def test_a_row_that_was_cut_short_is_damage(tmp_path: Path) -> None:
    run(lambda: SqliteStore(tmp_path), lambda store: store.add(series(1)))
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute("pragma ignore_check_constraints = on")
        database.execute("update episodes set vector = x'00'")

    assert refused(tmp_path).code == "EMY-4003"


def test_a_file_that_is_held_by_another_program_is_waited_for_and_then_said(
    tmp_path: Path,
) -> None:
    async def story(store: Store) -> str:
        with sqlite3.connect(tmp_path / NAME, isolation_level=None) as other:
            other.execute("begin immediate")
            with pytest.raises(Refused) as why:
                await store.add(series(1))
            other.execute("rollback")
        assert await store.add(series(1)) <= 1
        return why.value.code

    settings = Settings(wait=0.3)

    assert run(lambda: SqliteStore(tmp_path, settings), story) in ("EMY-4005", "EMY-4007")


def test_a_search_that_takes_too_long_is_stopped_and_the_next_is_answered(tmp_path: Path) -> None:
    endless = (
        "with recursive n (x) as (select 1 union all select x + 1 from n) select max(x) from n"
    )

    async def story() -> int:
        store = SqliteStore(tmp_path, Settings(readers=1, wait=0.2))
        await store.open()
        with pytest.raises(Refused, match="EMY-4007"):
            await store._use.readers.run(lambda connection: connection.execute(endless).fetchall())
        found = await store.count()
        await store.close()
        return found

    assert asyncio.run(story()) == 0


def test_readers_are_served_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    async def story() -> list[int]:
        store = SqliteStore(tmp_path, Settings(readers=1))
        await store.open()
        served: list[int] = []

        def read(number: int, _: sqlite3.Connection) -> None:
            served.append(number)

        asking = []
        for number in range(300):
            one = store._use.readers.run(partial(read, number))
            asking.append(asyncio.ensure_future(one))
            await asyncio.sleep(0)  # while one is woken, another one comes
        await asyncio.gather(*asking)
        await store.close()
        return served

    assert asyncio.run(story()) == list(range(300))


def test_two_processes_see_what_the_other_wrote(tmp_path: Path) -> None:
    async def story(green: Store) -> list[str]:
        blue = SqliteStore(tmp_path)
        await blue.open()
        one = episode(1, "the uplink came back")
        await blue.add([one])
        found = await green.by_vector(one.vector, 1)
        await blue.close()
        return [best.episode.text for best in found]

    assert run(lambda: SqliteStore(tmp_path), story) == ["the uplink came back"]


def test_two_that_start_on_nothing_make_one_memory(tmp_path: Path) -> None:
    async def story() -> list[int]:
        stores = [SqliteStore(tmp_path) for _ in range(4)]
        await asyncio.gather(*(store.open() for store in stores))
        await asyncio.gather(*(store.add(series(5)) for store in stores))
        counts = [await store.count() for store in stores]
        await asyncio.gather(*(store.close() for store in stores))
        return counts

    assert asyncio.run(story()) == [5, 5, 5, 5]


def test_what_is_queued_is_written_before_it_closes(tmp_path: Path) -> None:
    async def story() -> None:
        store = SqliteStore(tmp_path)
        await store.open()
        adding = asyncio.gather(*(store.add([one]) for one in series(50)))
        await asyncio.sleep(0)
        await store.close()
        await adding

    asyncio.run(story())

    assert run(lambda: SqliteStore(tmp_path), lambda store: store.count()) == 50
