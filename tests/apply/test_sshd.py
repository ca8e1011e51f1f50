"""The engine over real SSH: a daemon in the small world, real connections, a real `nix copy`."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from emily_infra.apply.copy import Copy
from emily_infra.apply.engine import Ways
from emily_infra.apply.schedule import Verdict
from emily_infra.machine import Machine, Target, connect, store
from tests.apply.drill import Drill, Quick
from tests.apply.world.system import write
from tests.machine.sshd import configuration, free_port, make_key, wait_for

pytestmark = pytest.mark.skipif(shutil.which("sshd") is None, reason="needs sshd")


@dataclass
class Daemon:
    """sshd inside a world."""

    box: Drill
    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def target(self) -> Target:
        return Target(
            "box", "127.0.0.1", "root", self.port, self.folder / "operator",
            self.folder / "known", Path("/dev/null"),
        )  # fmt: skip

    def ways(self) -> Ways:
        return Ways(
            self.connect, self.connect, Copy(store(self.target)), self.box.told.append, Quick()
        )

    def connect(self) -> Machine:
        return connect(self.target, deadline=5)

    def pids(self, what: str) -> list[int]:
        """The daemon's processes by what they call themselves: the listener, or its sessions."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().decode(errors="replace")
                inside = os.readlink(entry.parent / "ns/pid")
            except OSError:
                continue
            mine = os.readlink(f"/proc/{self.box.world.pid1}/ns/pid")
            if inside == mine and words.startswith("sshd:") and what in words:
                found.append(int(entry.parent.name))
        return found


@pytest.fixture
def daemon(box: Drill, tmp_path: Path) -> Iterator[Daemon]:
    box.pace = replace(box.pace, confirm=12)  # each word is a connection
    for name in ("host", "operator"):
        make_key(tmp_path / name)
    port = free_port()
    (tmp_path / "config").write_text(
        configuration(port, tmp_path / "host", tmp_path / "operator.pub")
    )
    kind, key, *_ = (tmp_path / "host.pub").read_text().split()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    box.world.run("mkdir", "-p", "/run/sshd")
    program = ["/usr/sbin/sshd", "-D", "-e", "-f", str(tmp_path / "config")]
    inside = ["nsenter", f"--target={box.world.pid1}", "--mount", "--pid"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*inside, *program], stderr=log, start_new_session=True)
    wait_for(port)
    try:
        yield Daemon(box, tmp_path, port, process)
    finally:
        process.kill()
        process.wait()


def there_already(_: str, __: object) -> None: ...


def test_a_system_is_copied_and_deployed_over_ssh(daemon: Daemon, tmp_path: Path) -> None:
    made = write(tmp_path / "made", "fresh")
    fresh = subprocess.run(
        ["nix-store", "--add", made], check=True, capture_output=True, text=True
    ).stdout.strip()
    box = daemon.box
    box.tops["fresh"] = fresh
    assert not (box.world.root / fresh.removeprefix("/")).exists()

    outcome = box.deploy(box.order("fresh"), daemon.ways())

    assert outcome.verdict is Verdict.COMMITTED, outcome
    assert box.settled() == "committed"
    assert box.is_wholly("fresh")


def test_sessions_that_are_killed_while_it_switches_change_nothing(daemon: Daemon) -> None:
    box = daemon.box
    box.world.hook("new.test", "sleep 1")
    killed: list[int] = []

    def told(_: object) -> None:
        if not killed and "activating" in box.world.words:
            killed.extend(daemon.pids("@notty"))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    ways = daemon.ways()
    outcome = box.deploy(ways=replace(ways, copy=there_already, tell=told))

    assert killed
    assert outcome.verdict is Verdict.COMMITTED, outcome


def test_a_new_system_that_stops_sshd_is_undone_though_the_old_session_lives(
    daemon: Daemon,
) -> None:
    box = daemon.box
    box.world.hook(
        "new.test", "pkill -f 'sshd: .usr.sbin.sshd .listener' || pkill -f 'sbin/sshd -D'"
    )

    outcome = box.deploy(ways=replace(daemon.ways(), copy=there_already))

    assert outcome.verdict is Verdict.ROLLED_BACK, outcome
    assert "no new connection can be made" in outcome.detail
    assert box.settled() == "rolled-back"
    assert box.is_wholly("old")
