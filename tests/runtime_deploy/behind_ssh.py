"""A host of the tests behind a real sshd, in whose sessions everything stands where a host has it.

The sessions have mounts of their own. systemctl and journalctl there ask the systemd that is played
here; the unit that deploys is the real command, as its real file runs it.
"""

import json
import os
import shutil
import socketserver
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import cast

from emily_infra.machine import CommandFailed
from tests.hosts import ROOT
from tests.machine.sshd import Server, serving
from tests.runtime_deploy.world import Host, Work, host

MOUNTS = r"""
root=$1; shift
cp -a /etc "$root/whole-etc"; rm -rf "$root/whole-etc/emily"
mkdir -p "$root/whole-etc/emily" "$root/mnt"
mount --bind "$root/whole-etc" /etc
mount --bind "$root/etc" /etc/emily
mount -t tmpfs none /var/lib; mount -t tmpfs none /run; mount -t tmpfs none /nix/var/nix/gcroots
for pair in state=/var/lib/emily-runtime colours=/var/lib/emily-colours \
    sockets=/run/emily-runtime roots=/nix/var/nix/gcroots/emily; do
  mkdir -p "${pair#*=}"; mount --bind "$root/${pair%%=*}" "${pair#*=}"
done
mkdir -p /run/sshd
exec "$@"
"""
ASK = """#!{python} -IS
import json, pathlib, socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect({door!r})
asked.sendall(json.dumps([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]).encode() + b"\\n")
code, said = json.loads(asked.makefile().read())
print(said, end="", file=sys.stderr if code else sys.stdout)
sys.exit(code)
"""


class Reached(Host):
    """A host that is asked over SSH."""

    pid = 0
    """Of sshd, whose mounts every session has."""

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """As a machine does; the journal is that of all units that are asked for."""
        if argv[0] == "journalctl" and sum(word.startswith("--unit=") for word in argv) > 1:
            logs = sorted(self.folder.glob("sockets/*/log"))
            return "".join(log.read_text() for log in [*logs, self.folder / "deploy.log"])
        return super().run(*argv, stdin=stdin, deadline=deadline)

    def deploys(self) -> Work:
        """The real command, with the host's mounts."""
        inside = ["nsenter", f"--target={self.pid}", "--mount", f"--wd={ROOT}"]
        command = [sys.executable, "-m", "emily_infra", "runtime", "here"]
        with (self.folder / "deploy.log").open("ab") as log:
            return Command(subprocess.Popen(
                [*inside, *command], env=environment(self.folder), stdout=log, stderr=log,
            ))  # fmt: skip


@dataclass(frozen=True)
class Command:
    """A process as a unit."""

    process: "subprocess.Popen[bytes]"

    @property
    def is_at_work(self) -> bool:
        """Until it ends."""
        return self.process.poll() is None

    def stop(self) -> str:
        """SIGTERM, and its end."""
        self.process.terminate()
        self.process.wait(20)
        return ""


class Played(socketserver.StreamRequestHandler):
    """One command to systemd."""

    def handle(self) -> None:
        """Run it, and say how it ended."""
        played = cast("Systemd", self.server)
        try:
            answer = 0, played.box.run(*json.loads(self.rfile.readline()))
        except CommandFailed as error:
            answer = 1, f"{error.stderr}\n"
        self.wfile.write(json.dumps(answer).encode())


class Systemd(socketserver.ThreadingUnixStreamServer):
    """Answers systemctl and journalctl."""

    daemon_threads = True
    box: Host


@contextmanager
def behind_ssh(folder: Path) -> Iterator[tuple[Reached, Server]]:
    """The host, and the daemon that leads to it."""
    with ExitStack() as stack:
        box = cast("Reached", stack.enter_context(host(kind=Reached)))
        door = str(box.folder / "systemd.sock")
        systemd = stack.enter_context(Systemd(door, Played))
        systemd.box = box
        Thread(target=systemd.serve_forever, daemon=True).start()
        stack.callback(systemd.shutdown)
        _programs(box.folder, door)
        path = environment(box.folder)["PATH"]
        before = ("unshare", "--mount", "sh", "-ec", MOUNTS, "sh", str(box.folder))
        # Only the first SetEnv counts.
        server = stack.enter_context(serving(folder, f"SetEnv SHLVL=2 PATH={path}", before))
        box.pid = _listener(server)
        (folder / "bin").mkdir()
        _client(folder, server)
        yield box, server


def environment(folder: Path) -> dict[str, str]:
    """What a host's own programs see."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder)}


def _programs(folder: Path, door: str) -> None:
    (folder / "bin").mkdir()
    for name in ("systemctl", "journalctl"):
        program = folder / "bin" / name
        program.write_text(ASK.format(python=sys.executable, door=door))
        program.chmod(0o755)


def _listener(server: Server) -> int:
    """The daemon, once it has become itself: before that it is a shell that mounts."""
    found = subprocess.run(
        ["pgrep", "--full", "--oldest", f"sshd.*{server.folder}/sshd_config"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(found.stdout.split()[0])


def _client(folder: Path, server: Server) -> None:
    """An ssh in front of the other one, which reads no configuration but ours."""
    (folder / "ssh_config").write_text(
        f"Host *\n  IdentityFile {server.key}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
    )
    ssh = folder / "bin/ssh"
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    ssh.chmod(0o755)
