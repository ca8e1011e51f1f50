"""A PostgreSQL server of our own in a folder of its own, listening on a unix socket only.

It refuses to run as root. Its superuser is named as who runs the tests, so that peer
authentication lets us in with no password.
"""

import getpass
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import psycopg
import pytest

NOBODY = 65534
OTHER = NOBODY if os.geteuid() == 0 else None
QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=40")


class Reachable(Protocol):
    """A server that lets us in."""

    @property
    def dsn(self) -> str:
        """How."""


class Elsewhere(NamedTuple):
    """A server that is not ours to stop."""

    dsn: str


class Server:
    """A cluster that can be stopped, killed, frozen and started again."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """How we get in: by our user's name."""
        return f"host={self.folder} dbname=postgres user={getpass.getuser()}"

    @property
    def pid(self) -> int:
        """Of the first of its processes."""
        assert self._process is not None
        return self._process.pid

    def make(self) -> None:
        """An empty cluster."""
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        initdb = ["initdb", "--auth=peer", "--no-sync", "--encoding=UTF8", "--locale=C"]
        self._run(*initdb, f"--username={getpass.getuser()}", f"--pgdata={self.folder / 'data'}")

    def start(self) -> None:
        """Until it answers."""
        settings = [*QUICK, "listen_addresses=", f"unix_socket_directories={self.folder}"]
        argv = [str(self._programs / "postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*argv, *(part for one in settings for part in ("-c", one))],
                stdout=log, stderr=log, user=OTHER, group=OTHER,
            )  # fmt: skip
        for _ in range(600):
            try:
                psycopg.connect(self.dsn).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        """At once, as with `pg_ctl stop --mode=immediate`; nothing of it is left."""
        if self._process is not None:
            self._process.send_signal(3)
            self._process.wait()
            self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        argv = [str(self._programs / program), *arguments]
        subprocess.run(
            argv, check=True, capture_output=True, cwd=self.folder, user=OTHER, group=OTHER
        )


def with_pgvector() -> Path | None:
    """The programs of the pip package that carries pgvector."""
    found = importlib.util.find_spec("pgserver")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "pginstall" / "bin"


def without_pgvector() -> Path | None:
    """Debian's own, or those that scripts/environment has unpacked."""
    initdb = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(initdb).parent if initdb else installed[-1].parent if installed else None


@contextmanager
def served(programs: Path | None) -> Iterator[Server]:
    """A started server; the test is skipped where there are no programs."""
    if programs is None:
        pytest.skip("there is no PostgreSQL on this machine")
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        usable = programs
        if os.geteuid() == 0 and not _open_to_all(programs):
            usable = shutil.copytree(programs.parent, folder / "programs") / "bin"
            folder.chmod(0o755)
        server = Server(usable, folder)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _open_to_all(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in [folder, *folder.parents])
