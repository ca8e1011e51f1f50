"""A PostgreSQL server that lives for one question and takes no connection from anywhere."""

import gzip
import lzma
import os
import pwd
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emily_infra.backup.faults import BackupError
from emily_infra.backup.here import Here
from emily_infra.machine import CommandFailed
from emily_infra.machine.child import Program
from emily_infra.machine.pipe import pipe
from emily_infra.machine.serving import serving

_PROGRAMS = ("initdb", "postgres", "pg_restore", "psql")
_PLACES = "/usr/lib/postgresql/*/bin"
_DATABASE = "drilled"
_STARTING = 120.0
_LOADING = 24 * 3600.0
_TICK = 0.1
_NAMED = 5
_HARMLESS = re.compile(r'role "[^"]*" (does not exist|already exists)|must be owner of')
"""A dump of one database names owners that only the whole server has."""


class NoDatabase(BackupError):
    """The programs of PostgreSQL are missing, or no database came of them."""

    code = "BKP069"


class NoServer(NoDatabase):
    """There can be no server, whatever the dump is worth."""


def programs(here: Here) -> Path:
    """The folder with PostgreSQL's programs: of the PATH, or the newest that Debian has."""
    path = here.environment.get("PATH", os.defpath) if here.environment else None
    found = shutil.which("initdb", path=path)
    beside = [Path(found).parent] if found else []
    debian = sorted(Path("/").glob(_PLACES.lstrip("/")), key=_version, reverse=True)
    for folder in (*beside, *debian):
        if all((folder / name).exists() for name in _PROGRAMS):
            return folder
    raise NoServer(
        f"PostgreSQL is not here: {', '.join(_PROGRAMS)} are neither on the PATH nor below "
        "/usr/lib/postgresql",
        hint="add the package that serves the database on this host (services.postgresql) to "
        "the drill's unit, or take the check out of backup.checks",
    )


def _version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


@dataclass(frozen=True)
class Server:
    """It runs, and has one empty database."""

    here: Here
    programs: Path
    folder: Path
    socket: Path

    @classmethod
    @contextmanager
    def started(cls, here: Here, programs: Path, space: Path) -> Iterator["Server"]:
        """A server with its files in SPACE, which is stopped and gone afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="database-", dir=space))
        # A socket's path has room for 107 bytes.
        socket = Path(tempfile.mkdtemp(prefix="emily-pg-"))
        try:
            user = _user()
            for each in (folder, socket):
                os.chown(each, user.pw_uid, user.pw_gid)
            _reach(here, user, folder)
            server = cls(here, programs, folder, socket)
            with server._running(user):
                yield server
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(socket, ignore_errors=True)

    def load(self, dump: Path, form: Literal["custom", "sql"]) -> None:
        """Restore a dump; NoDatabase where it is not whole."""
        if form == "custom":
            words = ("--no-owner", "--no-acl", "--exit-on-error", f"--dbname={_DATABASE}")
            self._run("pg_restore", *words, str(dump))
            return
        plain = _plain(dump, self.folder)
        said = self._psql_errors(plain)
        if said:
            raise NoDatabase(
                f"{dump.name} does not load: {said[0]}",
                hint="is it a dump of pg_dump, and of no newer PostgreSQL than this one?",
            )

    def ask(self, query: str) -> str:
        """The first line of the answer."""
        said = self._run(*_PSQL, f"--dbname={_DATABASE}", "--command", query)
        return (said.splitlines() or [""])[0].strip()

    @contextmanager
    def _running(self, user: pwd.struct_passwd) -> Iterator[None]:
        data = self.folder / "data"
        self.here.run(
            *_as(user), str(self.programs / "initdb"), "--pgdata", str(data), "--auth=trust",
            "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
            deadline=600,
        )  # fmt: skip
        options = {
            "listen_addresses": "", "unix_socket_directories": str(self.socket),
            "logging_collector": "on", "fsync": "off", "max_connections": "10",
        }  # fmt: skip
        settings = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        argv = (*_as(user), str(self.programs / "postgres"), "-D", str(data), *settings)
        with serving(Program(argv, self.here.environment), signal.SIGQUIT):
            self._await()
            self._run(*_PSQL, "--dbname=postgres", "--command", f"create database {_DATABASE}")
            yield

    def _await(self) -> None:
        until = time.monotonic() + _STARTING
        while True:
            try:
                self._run(*_PSQL, "--dbname=postgres", "--command", "select 1")
            except CommandFailed:
                if time.monotonic() > until:
                    raise
                time.sleep(_TICK)
            else:
                return

    def _run(self, program: str, *words: str) -> str:
        return self.here.run(*self._command(program, *words), deadline=_LOADING)

    def _command(self, program: str, *words: str) -> tuple[str, ...]:
        where = (f"--host={self.socket}", "--username=postgres")
        return (str(self.programs / program), *where, *words)

    def _psql_errors(self, plain: Path) -> list[str]:
        """What psql complains of; it goes on after an error, and ends as if there were none."""
        errors: list[str] = []

        def hear(_place: int, said: bytes) -> None:
            line = said.decode(errors="replace")
            if "ERROR:" in line and not _HARMLESS.search(line) and len(errors) < _NAMED:
                errors.append(line.strip())

        words = self._command(*_PSQL, f"--dbname={_DATABASE}", "--output=/dev/null", "--file=-")
        # A script may hold commands for a shell (\\!): they get the rights of the server, not ours.
        program = Program((*_as(_user()), *words), self.here.environment, self.folder)
        with plain.open("rb") as script:
            (ending,) = pipe(
                [program], on_complaint=hear, source=script.fileno(), deadline=_LOADING
            )
        if ending.status:
            raise CommandFailed(self.here.settings.host, words, ending)
        return errors


_PSQL = ("psql", "--no-psqlrc", "--no-align", "--tuples-only", "--quiet")


def _plain(dump: Path, folder: Path) -> Path:
    """The dump without its compression."""
    if dump.suffix not in (".gz", ".xz"):
        return dump
    plain = folder / "dump.sql"
    module = gzip if dump.suffix == ".gz" else lzma
    with module.open(dump) as packed, plain.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return plain


def _user() -> pwd.struct_passwd:
    """Nobody: a dump may run commands, and as postgres it would be let into the live cluster."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError as error:
        raise NoServer(
            "there is no user nobody to run a database as",
            hint="useradd --system --no-create-home --shell /usr/sbin/nologin nobody",
        ) from error


def _reach(here: Here, user: pwd.struct_passwd, folder: Path) -> None:
    """NoServer where a folder on the way to its files is closed to the server's user."""
    try:
        here.run(*_as(user), "test", "-w", str(folder))
    except CommandFailed as error:
        raise NoServer(
            f"the user {user.pw_name} cannot get into {folder}, where its database would be",
            hint="make room on the pool of the dataset, where drills write first; the cache "
            "is closed to other users",
        ) from error


def _as(user: pwd.struct_passwd) -> tuple[str, ...]:
    # Changing the user makes the kernel forget who was to be told of our death.
    return (
        "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
        "--pdeathsig", "KILL", "--",
    )  # fmt: skip
