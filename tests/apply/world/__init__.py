"""A machine for tests: mounts and processes of its own, no virtual machine, power to be cut."""

import contextlib
import json
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

from emily_infra.machine import CommandFailed, Ending
from tests.apply.world import pid1


class World:
    """A machine behind the engine's protocol; each command is a process inside."""

    name = "box"

    def __init__(self, root: Path, *, speed: float = 1.0) -> None:
        self.root = root
        self.speed = speed
        for folder in ("lib", "boot"):
            (root / folder).mkdir(exist_ok=True)
        self.off = threading.Event()
        self.process = self._boot()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def _boot(self) -> "subprocess.Popen[str]":
        self.up = False
        self.boot_id = str(uuid.uuid4())
        program = [sys.executable, "-ISE", pid1.__file__]
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", *program,
             str(self.root), self.boot_id, str(self.speed)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        self.pid1 = int(children.split()[0])
        self.up = True
        return process

    def _watch(self) -> None:
        while not self.off.is_set():
            if self.process.wait() in (pid1.REBOOT, pid1.POWER_CUT) and not self.off.is_set():
                self.process = self._boot()
            elif not self.off.is_set():
                time.sleep(0.01)

    def power_cut(self) -> None:
        """Every process is gone at once; what was on disk boots again."""
        before = self.boot_id
        with contextlib.suppress(CommandFailed):
            self.run("systemctl", "world-cut")
        self.wait_for_boot(before)

    def wait_for_boot(self, old: str) -> None:
        """Until it has booted since the boot OLD."""
        end = time.monotonic() + 30
        while self.boot_id == old or not self.up:
            assert time.monotonic() < end, "it does not boot"
            time.sleep(0.01)

    def shut_down(self) -> None:
        self.off.set()
        self.process.kill()
        self.process.wait()

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        path = "/run/booted-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        done = subprocess.run(
            ["nsenter", f"--target={self.pid1}", "--mount", "--pid", "env", f"PATH={path}", *argv],
            input=stdin, capture_output=True, text=True, timeout=deadline,
        )  # fmt: skip
        if done.returncode:
            ending = Ending(done.returncode, done.stdout, done.stderr)
            raise CommandFailed(self.name, argv, ending)
        return done.stdout

    def close(self) -> None: ...

    # What a test sees of it, without asking it.

    def link(self, path: str) -> str:
        return self.run("readlink", "-f", path).strip()

    def hook(self, name: str, text: str) -> None:
        """What the action NAME (toplevel.action) does beside its work."""
        folder = self.root / "lib/world"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    def events(self) -> list[dict[str, str]]:
        """The record of the newest deploy, as it is on the disk."""
        lines = self.records[-1].splitlines() if self.records else []
        return [json.loads(line) for line in lines]

    @property
    def records(self) -> list[str]:
        """The text of every record, oldest first; two may have begun in one second."""
        folders = (self.root / "lib/emily/deploys").glob("2*/settings")
        ordered = sorted(folders, key=lambda file: file.stat().st_mtime_ns)
        events = [file.with_name("events") for file in ordered]
        return [file.read_text() for file in events if file.exists()]

    @property
    def words(self) -> list[str]:
        return [event["event"] for event in self.events()]

    @property
    def switched(self) -> list[str]:
        file = self.root / "lib/world/switched"
        return file.read_text().splitlines() if file.exists() else []
