"""A real sshd on loopback behind which a machine answers as we please."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.machine.sshd import configuration, free_port, make_key, wait_for

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass(frozen=True)
class Served:
    """The daemon, and what every login prints."""

    folder: Path
    port: int

    def says(self, text: str) -> None:
        """From now on every command of a client prints this."""
        (self.folder / "answer").write_text(text)

    @property
    def path(self) -> str:
        """A PATH whose ssh reads our configuration and no one else's."""
        return f"{self.folder / 'bin'}:{os.environ['PATH']}"


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """The daemon while the block runs."""
    folder.chmod(0o755)
    port = free_port()
    _keys(folder, port)
    _client(folder)
    daemon = subprocess.Popen(
        [str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield Served(folder, port)
    finally:
        daemon.terminate()
        daemon.wait()


def _keys(folder: Path, port: int) -> None:
    for name in ("host", "user"):
        make_key(folder / name)
    public = (folder / "host.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    key = (folder / "user.pub").read_text()
    # A client's script is read and thrown away: who writes to a closed pipe would see it broken.
    command = f"cat >/dev/null; cat {folder}/answer"
    (folder / "authorized_keys").write_text(f'command="{command}" {key}')
    (folder / "sshd_config").write_text(
        configuration(port, folder / "host", folder / "authorized_keys")
    )


def _client(folder: Path) -> None:
    (folder / "ssh_config").write_text(
        f"Host *\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
    )
    (folder / "bin").mkdir()
    ssh = folder / "bin/ssh"
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    ssh.chmod(0o755)
