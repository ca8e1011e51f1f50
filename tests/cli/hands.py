"""A host behind a real sshd, on whose disks commands put their hands."""

import getpass
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emily_infra.spec.host import Host
from tests.cli.boxes import asked, begun
from tests.cli.command import Done
from tests.cli.served import served
from tests.hosts import ROOT, as_host, as_text, over
from tests.storage.behind import keep, kept
from tests.storage.world import World, machine


@dataclass
class Hands:
    """A project, its one host, and the machine that this is."""

    folder: Path
    host: Host
    path: str
    port: int

    @property
    def world(self) -> World:
        """The machine as it is now."""
        return kept(self.folder / "world")

    def becomes(self, world: World) -> None:
        """Something has happened to it."""
        keep(world, self.folder / "world")

    def emily(self, *words: str, typed: str | None = None) -> Done:
        """A command as a process; with a terminal only where something is typed."""
        line = None if typed is None else f"{typed}\n"
        return asked(self.folder, self._environment, *words, typed=line)

    @contextmanager
    def begin(self, *words: str, until: str) -> Iterator["subprocess.Popen[str]"]:
        """A command at a terminal, once it has said so much of its story."""
        ours, theirs = pty.openpty()
        running = begun(self.folder, self._environment, *words, stdin=theirs)
        assert running.stderr
        said = ""
        try:
            while until not in said:
                more = os.read(running.stderr.fileno(), 4096).decode()
                assert more, said
                said += more
            yield running
        finally:
            running.kill()
            running.wait()
            os.close(ours)
            os.close(theirs)

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": self.path, "HOME": str(self.folder), "PYTHONPATH": str(ROOT),
                "COLUMNS": "160"}  # fmt: skip


@contextmanager
def hands(
    folder: Path, base: Host, made_of: Callable[[Path, Host], World] = machine
) -> Iterator[Hands]:
    """The host with blank disks, while the block runs."""
    (folder / "sshd").mkdir()
    with served(folder / "sshd") as daemon:
        text = as_text(over(base, f"{{ deploy: {{ user: {getpass.getuser()} }} }}").source.data)
        address = base.spec.deploy.address
        with (folder / "sshd/ssh_config").open("a") as settings:
            settings.write(f"Host {address}\n  HostName 127.0.0.1\n  Port {daemon.port}\n")
        home = folder / "hosts" / base.name
        home.mkdir(parents=True)
        (home / "host.yaml").write_text(text)
        made = Hands(folder, as_host(base.name, text), daemon.path, daemon.port)
        made.becomes(made_of(folder, made.host))
        key = (folder / "sshd/user.pub").read_text()
        python = f"cd {ROOT} && {sys.executable} -m tests.storage.behind {folder}/world"
        (folder / "sshd/authorized_keys").write_text(f'command="{python}" {key}')
        yield made
