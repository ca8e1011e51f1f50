"""The runtime's memory on a PostgreSQL as a host has it: 17 with pgvector, on the lab's machine."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from emily_infra.machine import Target
from tests.lab.rehearsal import Rehearsal
from tests.machine.sshd import free_port

pytestmark = [pytest.mark.lab, pytest.mark.rehearsal]

ROOT = Path(__file__).parents[2]
CHOSEN = "(pgvector and not health_says) or the_index or more_calls or later_release"
"""What asks the server that has pgvector, and stops none."""
SERVER = """
set -e
bin=/usr/lib/postgresql/17/bin; data=/var/lib/remembering
as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
install -d -o postgres -g postgres $data /run/remembering
[ -e $data/PG_VERSION ] || as $bin/initdb -D $data -A trust --no-sync --locale C -E UTF8 >/dev/null
as $bin/pg_ctl -D $data status >/dev/null ||
  as $bin/pg_ctl -D $data -w -t 300 -l $data/log -o "-k /run/remembering -h '' -F" start >/dev/null
"""


@contextmanager
def forwarded(target: Target, socket: str) -> Iterator[int]:
    """A port of our own that leads to a socket of the machine."""
    port = free_port()
    command = [
        "ssh", "-N", "-F", "/dev/null", "-i", str(target.identity), "-p", str(target.port),
        "-o", f"UserKnownHostsFile={target.known_hosts}", "-o", "BatchMode=yes",
        "-o", "ExitOnForwardFailure=yes", "-L", f"127.0.0.1:{port}:{socket}",
        f"{target.user}@{target.address}",
    ]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def dsn(stage: Rehearsal) -> Iterator[str]:
    """PostgreSQL 17 on the machine, as its superuser."""
    if not stage.lab.running:
        stage.lab.start()
    stage.console(SERVER, deadline=600)
    with forwarded(stage.lab.console(), "/run/remembering/.s.PGSQL.5432") as port:
        found = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        end = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(found, connect_timeout=10).close()
                break
            except psycopg.OperationalError:
                assert time.monotonic() < end
                time.sleep(0.5)
        yield found


def test_it_is_what_a_host_has(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        (version,) = connection.execute("show server_version_num").fetchone() or ("",)
        (vector,) = connection.execute(
            "select count(*) from pg_available_extensions where name = 'vector'"
        ).fetchone() or (0,)

    assert version.startswith("17")
    assert vector == 1


def test_it_keeps_the_contract_of_every_store(dsn: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", CHOSEN]
    files = [f"tests/runtime/memory/test_{name}.py" for name in ("contract", "migrate", "postgres")]

    done = subprocess.run(
        [*command, *files], cwd=ROOT, env=os.environ | {"EMILY_POSTGRESQL": dsn},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip

    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
    assert passed
    assert int(passed[1]) >= 30
