"""A database that is written to all the time is dumped, copied, restored, and still adds up."""

import gzip
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from emily_infra.backup.drilling.checks import GOOD, prove
from emily_infra.backup.drilling.database import NoDatabase, NoServer, Server, programs
from emily_infra.backup.drilling.drill import Plan, drill
from emily_infra.backup.evidence import Verdict
from emily_infra.backup.here import Here
from tests.backup import kept
from tests.backup.test_evidence import make_key
from tests.backup.trees import IS_ROOT
from tests.backup.world import World

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="only root runs a server as another user")
SUM = "select sum(balance) = 1000 and count(*) = 100 from account"
MAKE = "create table account as select id, 10 as balance from generate_series(1, 100) id"
MOVE = (
    "do $$ begin for i in 1..200 loop"
    " update account set balance = balance - 1 where id = 1 + i % 100;"
    " perform pg_sleep(0.001);"
    " update account set balance = balance + 1 where id = 1 + (i * 7) % 100;"
    " end loop; end $$"
)


@pytest.fixture
def here(world: World) -> Here:
    return world.here()


@pytest.fixture
def space() -> Iterator[Path]:
    """A folder that other users can get to, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="emily-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def live(here: Here, space: Path) -> Iterator[Server]:
    """The database of the host, with money in it that is moved all the time."""
    stop = threading.Event()
    with Server.started(here, programs(here), space) as server:
        server.ask(MAKE)

        def write() -> None:
            while not stop.is_set():
                server.ask(MOVE)

        writer = threading.Thread(target=write)
        writer.start()
        yield server
        stop.set()
        writer.join()


def dump(server: Server, *words: str) -> bytes:
    where = (f"--host={server.socket}", "--username=postgres", "--dbname=drilled")
    command = [str(server.programs / "pg_dump"), *where, *words]
    return subprocess.run(command, check=True, capture_output=True).stdout


def alive(folder: Path) -> list[str]:
    """Processes that have anything to do with a folder."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            words = (each / "cmdline").read_bytes() if each.name.isdigit() else b""
        except OSError:
            continue
        if os.fsencode(folder) in words and b"postgres" in words:
            found.append(words.decode())
    return found


def test_a_dump_under_load_is_consistent_through_copy_and_drill(live: Server, world: World) -> None:
    file = world.write("tank/db", "ledger.dump", dump(live, "--format=custom"))
    checks = {"ledger": {"dump": str(file), "format": "custom", "query": SUM}}
    world.start(checks=checks)
    world.take("tank/db", "tank/home", "tank/home/photos")
    kept.made(world)
    kept.copy(world)
    plan = Plan("ada", 1, whole=True, key=make_key(world.root / "key"))

    found = {each.dataset: each for each in drill(world.here(), "shed", plan)}

    assert found["tank/db"].checks == {"ledger": GOOD}
    assert found["tank/db"].verdict is Verdict.SAME
    assert len(alive(world.root)) <= 1  # the live one


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_plain_dump_loads_packed_or_not(
    live: Server, here: Here, space: Path, suffix: str
) -> None:
    text = dump(live)
    file = space / f"ledger.sql{suffix}"
    file.write_bytes(gzip.compress(text) if suffix else text)

    with Server.started(here, programs(here), space) as server:
        server.load(file, "sql")

        assert server.ask(SUM) == "t"


def test_a_torn_dump_is_found(live: Server, here: Here, space: Path) -> None:
    whole = dump(live)
    file = space / "ledger.sql"
    file.write_bytes(whole.replace(b"COPY public.account", b"COPY public.acount"))

    with (
        Server.started(here, programs(here), space) as server,
        pytest.raises(NoDatabase, match="does not load"),
    ):
        server.load(file, "sql")


def test_a_check_whose_dump_is_not_in_the_copy_says_so(world: World, tmp_path: Path) -> None:
    missing = world.mountpoint("tank/db") / "none.dump"
    world.start(checks={"ledger": {"dump": str(missing), "query": "select 1"}})

    assert prove(world.here(), "tank/db", tmp_path) == {"ledger": f"{missing} is not in the copy"}
    assert prove(world.here(), "tank/home", tmp_path) == {}


def test_a_dump_gets_no_more_rights_than_the_server_it_is_loaded_into(
    here: Here, space: Path
) -> None:
    file = space / "ledger.sql"
    file.write_text(f"\\! touch {space}/by-root\ncreate table entry (number int);\n")

    with Server.started(here, programs(here), space) as server:
        server.load(file, "sql")

        assert server.ask("select count(*) from entry") == "0"
    assert not (space / "by-root").exists()


def test_what_a_dump_runs_is_run_by_nobody(here: Here, space: Path) -> None:
    file = space / "ledger.sql"

    with Server.started(here, programs(here), space) as server:
        who = server.folder / "who"
        file.write_text(f"copy (select 1) to program 'id -un > {who}';\n")
        server.load(file, "sql")

        assert who.read_text() == "nobody\n"


def test_a_folder_closed_to_the_server_is_no_fault_of_the_copy(world: World, space: Path) -> None:
    file = space / "restored" / "db" / "ledger.dump"
    file.parent.mkdir(parents=True)
    file.touch()
    dump = world.mountpoint("tank/db") / "ledger.dump"
    world.start(checks={"ledger": {"dump": str(dump), "query": "select 1"}})
    space.chmod(0o700)

    with pytest.raises(NoServer, match="the user nobody cannot get into"):
        prove(world.here(), "tank/db", space)
