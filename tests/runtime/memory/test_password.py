"""The service gets into a database by the password in its credential, and by no other."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.runtime.memory.servers import Server, served, without_pgvector
from tests.runtime.process import configuration, run, service

PASSWORD = "correct-horse-battery"
TEXT = """
[service]
host = "127.0.0.1"
port = 0
[memory]
store = "postgresql"
dsn = "host={folder} dbname=postgres user=emily"
password = "database"
"""


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server that asks emily for her password."""
    with served(without_pgvector()) as server:
        with psycopg.connect(server.dsn, autocommit=True) as superuser:
            superuser.execute(f"CREATE ROLE emily LOGIN PASSWORD '{PASSWORD}'")
            superuser.execute("GRANT CREATE ON DATABASE postgres TO emily")
            rules = server.folder / "data/pg_hba.conf"
            rules.write_text("local all emily scram-sha-256\nlocal all all peer\n")
            superuser.execute("SELECT pg_reload_conf()")
        yield server


def test_with_its_credential_it_is_ready(guarded: Server, tmp_path: Path) -> None:
    (tmp_path / "database").write_text(f"{PASSWORD}\n")

    with service(tmp_path, TEXT.format(folder=guarded.folder)) as running:
        assert running.get("/ready").startswith("HTTP/1.1 200")


def test_the_commands_are_let_in_by_it_too(guarded: Server, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-token-for-tests-only\n")
    (tmp_path / "database").write_text(f"{PASSWORD}\n")
    file = configuration(tmp_path, TEXT.format(folder=guarded.folder))
    folders = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    counted = run("memory", "count", "--config", file, **folders)
    looked = run("doctor", "--config", file, "--reach", **folders)
    (tmp_path / "database").write_text("wrong-horse-battery\n")
    locked_out = run("doctor", "--config", file, "--reach", **folders)

    assert counted.stdout.startswith("0 episodes, ")
    assert "ok     memory: " in looked.stdout
    assert ": 0 episodes; exact scan: the server has no pgvector" in looked.stdout
    assert "WRONG  memory: EMY-4021" in locked_out.stdout
    assert locked_out.returncode == 3


def test_with_another_password_it_does_not_start_and_says_why(
    guarded: Server, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a-token-for-tests-only\n")
    (tmp_path / "database").write_text("wrong-horse-battery\n")
    file = configuration(tmp_path, TEXT.format(folder=guarded.folder))

    done = run(
        "serve",
        "--config",
        file,
        CREDENTIALS_DIRECTORY=str(tmp_path),
        STATE_DIRECTORY=str(tmp_path),
    )

    assert done.returncode != 0
    assert "EMY-4" in done.stderr
    assert "wrong-horse-battery" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_credential_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-token-for-tests-only\n")
    file = configuration(tmp_path, TEXT.format(folder="/nowhere"))

    done = run("doctor", "--config", file, CREDENTIALS_DIRECTORY=str(tmp_path))

    assert "WRONG  credential database" in done.stdout
