"""A host whose systemd is played, and whose colours are real processes behind one real socket."""

import json
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Protocol

from emily_infra.machine import CommandFailed, Ending, Local
from emily_infra.runtime.colours import Colours
from emily_infra.runtime.here import Here
from emily_infra.runtime.places import Colour, Places
from tests.runtime_deploy.looks import Looks
from tests.runtime_deploy.unit import Unit, started

TOKEN = "a token of tests"
SETTINGS = "[service]\nrate = 1000000\nconcurrency = 4096\n"
VERSION = """#!/bin/sh
exec {python} -m tests.runtime_deploy.version {faults} "$@"
"""


class CutOff(BaseException):
    """Whoever ran commands on the host is gone."""


@dataclass
class Host:
    """A machine: the units of the runtime are played here, everything else is run."""

    folder: Path
    shared: socket.socket
    name: str = "ember"
    units: dict[Colour, Unit] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    is_cut: Callable[[], bool] = lambda: False
    """Asked before each command."""
    deploying: "Work | None" = None
    """The run of emily-runtime-deploy.service, once it was started."""

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """As a machine does."""
        if self.is_cut():
            raise CutOff
        self.asked.append(argv)
        match argv:
            case ("systemctl", "start", unit):
                return self._start(_colour(unit))
            case ("systemctl", "stop", unit) if "@" in unit:
                return self._stop(_colour(unit))
            case ("systemctl", "stop", _):
                return self.deploying.stop() if self.deploying else ""
            case ("systemctl", "start", "--no-block", _):
                self.deploying = self.deploys()
                return ""
            case ("systemctl", "show", *_):
                return "active" if self.deploying and self.deploying.is_at_work else "inactive"
            case ("journalctl", *_, last):
                return self._journal(_colour(last.partition("=")[2]))
        return Local().run(*argv, stdin=stdin, deadline=deadline)

    def deploys(self) -> "Work":
        """What the unit starts."""
        return Deploying(self)

    def close(self) -> None:
        """End both colours, and whoever starts them."""
        if self.deploying:
            self.deploying.stop()
        for colour in list(self.units):
            self._stop(colour)

    @property
    def places(self) -> Places:
        """As on a host, below a folder of our own."""
        below = {name: str(self.folder / name) for name in ("state", "colours", "sockets", "roots")}
        program, settings = self.folder / "etc/runtime", self.folder / "etc/runtime.toml"
        return Places(**below, program=str(program), settings=str(settings))

    @property
    def colours(self) -> Colours:
        """Both colours."""
        return Colours(self, self.places)

    @property
    def port(self) -> int:
        """The shared one."""
        return int(self.shared.getsockname()[1])

    def applies(self, version: str, **faults: object) -> None:
        """What an apply does: another version lies ready, and nothing that runs is touched."""
        program = self.folder / "store" / version / "bin/emily-runtime"
        program.parent.mkdir(parents=True, exist_ok=True)
        faulty = program.with_name("faults.json")
        faulty.write_text(json.dumps(faults))
        program.write_text(VERSION.format(python=sys.executable, faults=faulty))
        program.chmod(0o755)
        link = Path(self.places.program)
        link.unlink(missing_ok=True)
        link.symlink_to(program.parent.parent)
        Path(self.places.settings).write_text(SETTINGS)

    def version(self) -> str:
        """What the one colour that takes was started with."""
        (taking,) = self.colours.taking()
        return Path(self.places.pinned(taking)).resolve().name

    def dies(self, colour: Colour) -> None:
        """A crash, after which nobody starts it again."""
        self.units.pop(colour).kill()

    def _start(self, colour: Colour) -> str:
        if colour in self.units:
            return ""
        self._pin(colour)
        run = self.folder / "sockets" / colour
        run.mkdir(parents=True, exist_ok=True)
        settings = self.places.pinned_settings(colour)
        program = f"{self.places.pinned(colour)}/bin/emily-runtime"
        unit = started(
            [program, "serve", "--config", settings, "--colour", colour],
            run,
            self.shared,
            {
                "RUNTIME_DIRECTORY": str(run),
                "STATE_DIRECTORY": self.places.state,
                "CREDENTIALS_DIRECTORY": str(self.folder / "credentials"),
            },
        )
        if unit is None:
            ending = Ending(1, "", f"Job for {colour.unit} failed.")
            raise CommandFailed(self.name, ("systemctl", "start", colour.unit), ending)
        self.units[colour] = unit
        return ""

    def _stop(self, colour: Colour) -> str:
        if unit := self.units.pop(colour, None):
            unit.stop()
        return ""

    def _journal(self, colour: Colour) -> str:
        log = self.folder / "sockets" / colour / "log"
        return "\n".join(log.read_text().splitlines()[-5:])

    def _pin(self, colour: Colour) -> None:
        """As emily-runtime-pin@.service does it."""
        root, settings = Path(self.places.pinned(colour)), self.places.pinned_settings(colour)
        if root.exists() and Path(settings).exists():
            return
        shutil.copy(self.places.settings, settings)
        root.unlink(missing_ok=True)
        root.symlink_to(Path(self.places.program).resolve())


class Work(Protocol):
    """A run of emily-runtime-deploy.service."""

    @property
    def is_at_work(self) -> bool:
        """Whether it has not ended yet."""

    def stop(self) -> str:
        """SIGTERM, and its end."""


class Deploying:
    """emily-runtime-deploy.service: the host carries out the order that lies there."""

    def __init__(self, host: Host) -> None:
        self.name = host.name
        self.host = host
        self.is_over = False
        self.thread = Thread(target=self._carry_out, daemon=True)
        self.thread.start()

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """As a machine does, until the unit is stopped."""
        if self.is_over:
            raise CutOff
        return self.host.run(*argv, stdin=stdin, deadline=deadline)

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def is_at_work(self) -> bool:
        """Until the order is carried out."""
        return self.thread.is_alive()

    def stop(self) -> str:
        """SIGTERM, and its end."""
        self.is_over = True
        self.thread.join()
        return ""

    def _carry_out(self) -> None:
        with suppress(CutOff):
            Here(Colours(self, self.host.places), Looks(), lambda _: None).settle()


@contextmanager
def host(version: str = "one", kind: type[Host] = Host) -> Iterator[Host]:
    """One on which a version was applied, and runs as blue."""
    with TemporaryDirectory(prefix="emily-") as name, socket.socket() as shared:
        shared.bind(("127.0.0.1", 0))
        shared.listen(4096)
        folder = Path(name)
        for each in ("state", "colours", "sockets", "roots", "etc", "store", "credentials"):
            (folder / each).mkdir()
        (folder / "credentials/token").write_text(TOKEN)
        made = kind(folder, shared)
        made.applies(version)
        made.run("systemctl", "start", Colour.BLUE.unit)
        try:
            yield made
        finally:
            made.is_cut = lambda: False
            made.close()


def _colour(unit: str) -> Colour:
    return Colour(unit.partition("@")[2].removesuffix(".service"))
