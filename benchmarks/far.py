"""A project whose host pebble stands behind a real sshd of this machine, and is far away."""

import getpass
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.distance import Distance
from benchmarks.fleet import ROOT
from tests.machine.sshd import Server, serving
from tests.observe import made
from tests.observe.pebble import NEW, SECTIONS

ADDRESS = "192.168.1.10"
_UNITS = [f"part-{number:03}.service" for number in range(150)]
# The whole probe runs, with this machine's programs. What it finds here is not what pebble would
# say, so the answer that arrives is one of pebble's, as long as a real one.
_LOGIN = """#!/bin/sh
PATH={folder}/there:$PATH
case $SSH_ORIGINAL_COMMAND in
  sh | *" sh")
    sh >/dev/null
    exec cat {folder}/answer ;;
esac
exec sh -c "$SSH_ORIGINAL_COMMAND"
"""
# Where there is no systemd, something has to say what its units are.
_SYSTEMCTL = """#!/bin/sh
case $* in
  *--output=json*) cat {folder}/units.json ;;
  *) cat {folder}/units.txt ;;
esac
"""
_NIX = f"#!/bin/sh\necho {NEW}\n"
_STORE = '#!/bin/sh\ncase $2 in --requisites) echo "$3" ;; --size) echo 5000000 ;; esac\n'


@dataclass(frozen=True)
class Count:
    """What a server has been asked for so far."""

    connections: int
    commands: int

    def since(self, before: "Count") -> "Count":
        """What has come since."""
        return Count(self.connections - before.connections, self.commands - before.commands)


@dataclass(frozen=True)
class Far:
    """The folder of the project, and the way to its host."""

    folder: Path
    server: Server
    distance: Distance

    @property
    def environment(self) -> dict[str, str]:
        """One in which nothing is built, and ssh finds the host and nothing of the operator's."""
        kept = {name: text for name, text in os.environ.items() if name != "SSH_AUTH_SOCK"}
        return kept | {"HOME": str(self.folder), "PATH": f"{self.folder / 'here'}:{kept['PATH']}"}

    def count(self) -> Count:
        """As the line counts connections, and sshd its sessions."""
        log = (self.server.folder / "log").read_text(errors="replace")
        return Count(self.distance.connections, log.count("Starting session: "))


@contextmanager
def far_away(folder: Path, round_trip: float) -> Iterator[Far]:
    """Everything while the block runs; pebble runs what its host.yaml describes."""
    for name in ("here", "there", "sshd"):
        (folder / name).mkdir()
    _lay_there(folder)
    with serving(folder / "sshd", more="LogLevel VERBOSE") as server:
        key = (server.folder / "authorized_keys").read_text()
        login = program(folder / "there/login", _LOGIN.format(folder=folder))
        (server.folder / "authorized_keys").write_text(f'command="{login}" {key}')
        distance = Distance(server.port, round_trip)
        try:
            program(folder / "here/nix", _NIX)
            program(folder / "here/nix-store", _STORE)
            way(folder, server, distance.port)
            project(folder)
            yield Far(folder, server, distance)
        finally:
            distance.close()


def way(folder: Path, server: Server, port: int) -> None:
    """A `here/ssh` that reaches pebble's address through PORT, whatever ~/.ssh holds."""
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {server.host_key()}\n")
    (folder / "ssh_config").write_text(
        f"Host {ADDRESS}\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {server.key}\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n  GlobalKnownHostsFile /dev/null\n"
    )
    real = shutil.which("ssh")
    program(folder / "here/ssh", f'#!/bin/sh\nexec {real} -F {folder}/ssh_config "$@"\n')


def project(folder: Path) -> None:
    """hosts/pebble as it is shipped; who is not root logs in as himself."""
    shutil.copytree(ROOT / "hosts/pebble", folder / "hosts/pebble")
    user, spec = getpass.getuser(), folder / "hosts/pebble/host.yaml"
    if user != "root":
        text = spec.read_text().replace("deploy:", f"deploy:\n  user: {user}", 1)
        spec.write_text(text.replace("colter", user))


def program(file: Path, text: str) -> Path:
    """An executable."""
    file.write_text(text)
    file.chmod(0o755)
    return file


def _lay_there(folder: Path) -> None:
    states = {"load": "loaded", "active": "active", "sub": "running"}
    units = json.dumps([{"unit": name, **states} for name in _UNITS])
    (folder / "units.json").write_text(units)
    shown = "".join(f"Id={name}\nSubState=running\n\n" for name in _UNITS)
    (folder / "units.txt").write_text(shown)
    program(folder / "there/systemctl", _SYSTEMCTL.format(folder=shlex.quote(str(folder))))
    (folder / "answer").write_text(made.printed({**SECTIONS, "units": units}))
