"""Machines without a virtual machine, each behind a real sshd, for commands that change them."""

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from emily_infra.spec.source import read
from tests.apply.drill import Drill, drill
from tests.apply.world.system import write
from tests.cli.command import Done
from tests.hosts import ROOT, as_text, overlay, shipped
from tests.machine.sshd import configuration, free_port, make_key, wait_for

Template = tuple[Path, dict[str, str]]
SSHD = "/usr/sbin/sshd"
PART = """
deploy: {{ address: 192.168.1.{number}, activate_within: 30s, confirm_within: 30s }}
system: {{ host_id: 5eb1e0{number} }}
network:
  uplinks: {{ lan: {{ mac: "52:54:00:00:00:{number}" }} }}
  zones: {{ home: {{ address: 192.168.1.{number}/24 }} }}
  allow: [{{ from: home, to: host, services: [ssh] }}]
samba: null
backup: {{ offsite: {{ shed: {{ repository: "rest:https://backup.example.org/{name}/" }} }} }}
secrets: {{ smb-colter: null }}
"""
# A machine that is no NixOS, and the test's own, in a mount namespace where it is both.
DRESSED = """
cp -a /etc /run/etc && touch /run/etc/NIXOS && mount --bind /run/etc /etc &&
echo "$1" >/run/hostname && mount --bind /run/hostname /proc/sys/kernel/hostname &&
mkdir -p /run/sshd
"""
NIX = """#!/bin/sh
case "$*" in
  *'#nixosConfigurations.'*) name=${*##*nixosConfigurations.}; cat "$0.${name%%%%.*}" ;;
  *) exec %s "$@" ;;
esac
"""


@dataclass
class Box:
    """One machine: what it is called, what it is, and where its sshd listens."""

    name: str
    drill: Drill
    port: int
    daemon: "subprocess.Popen[bytes]"

    def unplug(self) -> None:
        """From now on nothing answers."""
        with suppress(ProcessLookupError):
            os.killpg(self.daemon.pid, signal.SIGKILL)  # nsenter, and its child
        self.daemon.wait()


@dataclass
class Site:
    """A project and its machines."""

    root: Path
    boxes: dict[str, Box] = field(default_factory=dict)

    def builds(self, name: str, what: str, *, says_from: bool = False) -> str:
        """From now on Nix makes of a host a system called so, with its host.yaml or without."""
        described = (self.root / "hosts" / name / "host.yaml").read_text() if says_from else ""
        top = built(self.root, what, described)
        self.boxes[name].drill.tops[what] = top
        (self.root / f"tools/nix.{name}").write_text(f"{top}\n")
        return top

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """A command that is watched while it is at work."""
        return begun(self.root, self._environment, *words)

    def emily(self, *words: str, typed: str | None = None) -> Done:
        """A command as a process; with a terminal only where something is typed."""
        return asked(self.root, self._environment, *words, typed=typed)

    @property
    def _environment(self) -> dict[str, str]:
        path = f"{self.root / 'tools'}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.root), "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def asked(folder: Path, environment: dict[str, str], *words: str, typed: str | None = None) -> Done:
    """A command, to its end; with a terminal only where something is typed."""
    ours, theirs = pty.openpty()
    if typed is not None:
        os.write(ours, typed.encode())
    done = subprocess.run(
        [sys.executable, "-m", "emily_infra", *words],
        cwd=folder, env=environment, text=True, timeout=240, check=False, capture_output=True,
        stdin=subprocess.DEVNULL if typed is None else theirs,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert "Traceback" not in done.stderr, done.stderr
    assert "BUG" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def begun(
    folder: Path, environment: dict[str, str], *words: str, stdin: int = subprocess.DEVNULL
) -> "subprocess.Popen[str]":
    """A command at work; it hears SIGINT, though who runs the tests in the background does not."""
    return subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "emily_infra", *words],
        cwd=folder, env=environment, text=True,
        stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def built(folder: Path, what: str, described: str = "") -> str:
    """A system of that name in this machine's own store."""
    home = folder / "made"
    if not (home / f"nixos-system-{what}").exists():
        source = write(home, what) / "etc/emily/source"
        if described:
            source.mkdir(parents=True)
            (source / "host.yaml").write_text(described)
    added = subprocess.run(
        ["nix-store", "--add", home / f"nixos-system-{what}"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return added.stdout.strip()


@contextmanager
def site(template: Template, folder: Path, names: Sequence[str]) -> Iterator[Site]:
    """Hosts that are described, rendered, and run their old system."""
    with ExitStack() as stack:
        here = Site(folder)
        _tools(folder)
        for number, name in enumerate(names, start=11):
            place = folder / f"box-{name}"
            place.mkdir()
            box = stack.enter_context(drill(template[0], dict(template[1]), place))
            here.boxes[name] = Box(name, box, *_listening(folder, place, name, number, box))
            stack.callback(here.boxes[name].unplug)
            described(folder, name, number)
        done = here.emily("render", *names)
        assert done.code == 0, done.err
        yield here


def described(root: Path, name: str, number: int) -> None:
    """A host.yaml that gets along with those of other numbers."""
    part, findings = read("part.yaml", PART.format(name=name, number=number).encode())
    assert not findings, findings
    home = root / "hosts" / name
    home.mkdir(parents=True)
    (home / "host.yaml").write_text(as_text(overlay(shipped("pebble").source.data, part.data)))


def _tools(root: Path) -> None:
    tools = root / "tools"
    tools.mkdir()
    (tools / "nix").write_text(NIX % shutil.which("nix"))
    ssh = shutil.which("ssh")
    (tools / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {root}/ssh_config "$@"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    make_key(root / "operator")
    (root / "known_hosts").touch()
    (root / "ssh_config").write_text(
        f"Host *\n  IdentityFile {root}/operator\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {root}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
    )


def _listening(
    root: Path, place: Path, name: str, number: int, box: Drill
) -> tuple[int, "subprocess.Popen[bytes]"]:
    box.world.run("sh", "-ec", DRESSED, "sh", name)
    make_key(place / "host")
    port = free_port()
    (place / "sshd_config").write_text(configuration(port, place / "host", root / "operator.pub"))
    with (root / "known_hosts").open("a") as known:
        known.write(f"[127.0.0.1]:{port} {(place / 'host.pub').read_text()}")
    with (root / "ssh_config").open("a") as settings:
        settings.write(f"Host 192.168.1.{number}\n  HostName 127.0.0.1\n  Port {port}\n")
    inside = ["nsenter", f"--target={box.world.pid1}", "--mount", "--pid"]
    with (place / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [*inside, SSHD, "-D", "-e", "-f", str(place / "sshd_config")],
            stderr=log, start_new_session=True,
        )  # fmt: skip
    wait_for(port)
    return port, daemon
