"""A real sshd on loopback behind which a machine answers as we please."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.machine.sshd import SETTINGS

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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    _keys(folder, port)
    _client(folder)
    daemon = subprocess.Popen(
        [str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.DEVNULL
    )
    try:
        _await(port)
        yield Served(folder, port)
    finally:
        daemon.terminate()
        daemon.wait()


def _keys(folder: Path, port: int) -> None:
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    public = (folder / "host.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    key = (folder / "user.pub").read_text()
    # A client's script is read and thrown away: who writes to a closed pipe would see it broken.
    command = f"cat >/dev/null; cat {folder}/answer"
    (folder / "authorized_keys").write_text(f'command="{command}" {key}')
    (folder / "sshd_config").write_text(
        f"{SETTINGS}Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\n"
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


def _await(port: int) -> None:
    for _ in range(100):
        with socket.socket() as attempt:
            if not attempt.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    raise TimeoutError("sshd does not listen")
