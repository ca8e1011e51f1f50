"""A host in its lab, and an operator with the command line: what is done to it, and what it is."""

import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from emily_infra.errors import EmilyError
from emily_infra.lab import Lab, Plan
from emily_infra.machine import connect
from emily_infra.observe import Observation, Question, observe
from emily_infra.observe.deploys import Deploy
from emily_infra.render import render
from emily_infra.render.templates import Templates
from emily_infra.spec.host import Host
from emily_infra.spec.source import Data, read
from tests.hosts import as_host, as_text, overlay

BASE = (Path(__file__).parent / "rehearsal.yaml").read_text()
HARDWARE = "{{ pkgs, lib, ... }}:\n{{\n{0}\n}}\n"
_PATIENCE = 600.0
_CUT = "table ip cut { chain through { type filter hook forward priority 0; drop; }; }"


@dataclass
class Running:
    """A command of the operator that is under way; its lines as they come are in a file."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def until(self, *words: str) -> str:
        """Wait for one of these to be said."""
        end = time.monotonic() + _PATIENCE
        while True:
            said = self.log.read_text(errors="replace")
            if found := [word for word in words if word in said]:
                return found[0]
            assert self.process.poll() is None, f"it ended without {words}:\n{said}"
            assert time.monotonic() < end, f"none of {words}:\n{said}"
            time.sleep(0.05)

    def kill(self) -> None:
        """As the kernel does it: nothing is said, nothing tidied up."""
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """The exit code."""
        return self.process.wait(_PATIENCE)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass
class Rehearsal:
    """One lab for many tests: each begins with the host well, and says what it changes."""

    name: str
    root: Path
    lab: Lab
    count: int = 0
    old: str = ""
    """The toplevel at the beginning of a test."""

    # --- the operator

    def describe(self, part: str = "", hardware: str = "") -> Host:
        """Write hosts/NAME anew: the base, a part laid over it, and something of its own."""
        self.count += 1
        data = overlay(read("base", BASE.encode())[0].data, _tagged(part, self.count))
        host = as_host(self.name, as_text(data))
        folder = self.root / "hosts" / self.name
        (folder / "generated").mkdir(parents=True, exist_ok=True)
        (folder / "host.yaml").write_text(as_text(data))
        for name, text in render(host, Templates()).files.items():
            (folder / "generated" / name).write_text(text)
        (folder / "hardware.nix").write_text(HARDWARE.format(hardware))
        return host

    def start(self, *words: str) -> Running:
        """Begin a command."""
        self.count += 1
        log = self.root / f"{self.count}-{words[0]}.log"
        command = [sys.executable, "-m", "emily_infra", words[0], self.name, "--lab", *words[1:]]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=self.root, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, env=os.environ | {"NO_COLOR": "1"},
            )  # fmt: skip
        return Running(process, log)

    def apply(self, *words: str) -> Running:
        """Apply, to its end."""
        running = self.start("apply", "--yes", *words)
        running.end()
        return running

    def settle(self) -> str:
        """The toplevel that the host runs, wholly; it is applied where nothing of the kind does."""
        if not self.lab.running:
            self.lab.start()
        self.mend()
        self.wait_for_the_way_in()
        found = self.ended().generation
        if found.number == 1 or not found.current == found.profile == found.boot_default:
            self.describe()
            done = self.apply("--again")
            assert done.process.returncode == 0, done.said
            found = self.seen().generation
        self.old = found.current
        return found.current

    # --- the world

    def console(self, script: str, deadline: float = 120) -> str:
        """Run something as root on the machine, by a way that no deploy can cut.

        The console's own mounts are a copy: what is unmounted there stays mounted in the machine.
        """
        machine = connect(self.lab.console(), deadline=60)
        try:
            inside = ("nsenter", "--target", "1", "--mount")
            return machine.run(*inside, "sh", stdin=script, deadline=deadline)
        finally:
            machine.close()

    def cut(self) -> None:
        """Between the operator and the host nothing gets through any more."""
        self.console(f"nft {shlex.quote(_CUT)}")

    def mend(self) -> None:
        """It gets through again."""
        self.console("nft delete table ip cut 2>/dev/null || :")

    def wait_for_the_way_in(self) -> None:
        """Until the operator gets in: after a boot the console is there long before that."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                machine = connect(self.lab.target(), deadline=60)
                machine.run("true")
                machine.close()
                return
            except EmilyError:
                assert time.monotonic() < end, "the operator does not get in"
                time.sleep(1)

    def wait_for(self, script: str) -> None:
        """Until a script succeeds on the machine."""
        self.console(f"until {script}; do sleep 0.2; done", deadline=_PATIENCE)

    def wait_for_event(self, word: str) -> None:
        """Until the newest deploy has this in its record."""
        newest = "$(ls -d /var/lib/emily/deploys/2* | tail -n 1)/events"
        self.wait_for(f'grep -q \'"event": "{word}"\' "{newest}"')

    def boot_id(self) -> str:
        return self.console("cat /proc/sys/kernel/random/boot_id").strip()

    def wait_for_another_boot(self, before: str) -> None:
        """Until the machine has started again by itself."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                if self.boot_id() != before:
                    return
            except EmilyError:
                pass
            assert time.monotonic() < end, "it did not come back"
            time.sleep(1)

    # --- what became of it

    def seen(self) -> Observation:
        machine = connect(self.lab.console(), deadline=60)
        try:
            return observe(machine, Question())
        finally:
            machine.close()

    def ended(self) -> Observation:
        """How it is when the last deploy, if there is one, has its verdict."""
        end = time.monotonic() + _PATIENCE
        while True:
            seen = self.seen()
            deploy = seen.deploys.last
            if deploy is None or deploy.verdict:
                return seen
            assert time.monotonic() < end, f"no verdict: {deploy}"
            time.sleep(2)

    def last(self) -> Deploy:
        """The last deploy as the host recorded it, once nobody is at work on it."""
        deploy = self.ended().deploys.last
        assert deploy
        return deploy

    def is_wholly(self, toplevel: str, seen: Observation | None = None) -> bool:
        """What runs, what the profile holds and what boots next are this, and all is well."""
        seen = seen or self.seen()
        found = seen.generation
        assert (found.current, found.profile, found.boot_default) == (toplevel,) * 3
        assert not seen.units.failed
        assert connect(self.lab.target(), deadline=60).run("echo", "in") == "in\n"
        return True


def rehearsal(name: str, root: Path) -> Rehearsal:
    """The host in its lab: blank disks, switched on, as `lab up` leaves it."""
    made = Rehearsal(name, root, Lab(name))
    made.lab.reset()  # an earlier run may have been cut off anywhere
    host = made.describe()
    made.lab.up(Plan(host, root, memory=1024), tell=print)
    return made


def _tagged(part: str, count: int) -> Data:
    """No two descriptions are the same, unless PART says so: else nothing would be deployed."""
    data = yaml.safe_load(part) or {}
    data.setdefault("deploy", {}).setdefault("tags", [f"try-{count}-{os.getpid()}"])
    return read("part", yaml.safe_dump(data).encode())[0].data


def json_lines(running: Running) -> list[dict[str, object]]:
    """What a command said with --json."""
    return [json.loads(line) for line in running.said.splitlines() if line.startswith("{")]
