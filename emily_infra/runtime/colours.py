"""The two colours of a host: asked and told over their control sockets, started by systemd."""

import contextlib
import json
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import ValidationError

from emily_infra.machine import CommandFailed, Expired, Machine, Unreachable
from emily_infra.runtime import files
from emily_infra.runtime.faults import NoAnswer, NoRuntime
from emily_infra.runtime.places import Colour, Places
from emily_infra.runtime.standing import State

_ASKED = 5.0
"""Seconds for a look."""
_STARTED = 90.0
"""Seconds for a start: the unit gives up after 30."""
_DRAINED = 30.0
_BASIS = "http://runtime"
_CURL = ("curl", "--silent", "--show-error")

# One command of the host: whoever is cut off here leaves both steps done, or neither begun.
_MOVE = """
curl --silent --show-error --fail --max-time 10 --request POST --unix-socket "$1" \\
  http://runtime/control/take || exit 1
curl --silent --show-error --fail --max-time "$3" --request POST --unix-socket "$2" \\
  http://runtime/control/leave || echo "it does not answer, so it takes no more"
"""


class Reply(NamedTuple):
    """What a colour answered: a status of HTTP, a body, and how long it took."""

    status: int
    body: str
    seconds: float

    def data(self) -> dict[str, object]:
        """The body as JSON; empty where it is none."""
        with contextlib.suppress(ValueError):
            found = json.loads(self.body)
            return found if isinstance(found, dict) else {}
        return {}


class Version(NamedTuple):
    """A program and its settings, by which one version differs from the next."""

    program: str
    settings: str


@dataclass(frozen=True)
class Colours:
    """Both colours of one host."""

    machine: Machine
    places: Places = field(default_factory=Places)

    def ask(self, colour: Colour, method: str, path: str, body: object = None) -> Reply:
        """One request; NoAnswer where none came back, whatever the status."""
        sent = ("--header", "Content-Type: application/json", "--data-binary", "@-")
        argv = (
            *_CURL, "--max-time", f"{_ASKED:g}", "--unix-socket", self.places.control(colour),
            "--request", method, *(sent if body is not None else ()),
            "--write-out", "\\n%{http_code} %{time_total}", f"{_BASIS}{path}",
        )  # fmt: skip
        text = json.dumps(body) if body is not None else ""
        try:
            said = self.machine.run(*argv, stdin=text, deadline=2 * _ASKED)
        except CommandFailed as error:
            raise self._silent(colour, error.stderr.strip() or str(error)) from error
        except Expired as error:
            raise self._silent(colour, str(error)) from error
        answer, _, told = said.rpartition("\n")
        status, _, seconds = told.partition(" ")
        return Reply(int(status), answer, float(seconds))

    def state(self, colour: Colour) -> State | None:
        """How a colour is, or nothing where it does not answer."""
        with contextlib.suppress(NoAnswer):
            reply = self.ask(colour, "GET", "/control/state")
            try:
                return State.model_validate_json(reply.body)
            except ValidationError:
                return None
        return None

    def active(self) -> Colour:
        """The colour that took last; blue on a host where none ever has."""
        said = files.text(self.machine, self.places.active)
        return Colour.GREEN if said.strip() == Colour.GREEN else Colour.BLUE

    def taking(self) -> list[Colour]:
        """Whoever accepts callers now."""
        return [each for each in Colour if (state := self.state(each)) and state.taking]

    def move(self, to: Colour) -> None:
        """Let a colour take, then the other one leave; NoAnswer where it does not take."""
        control = self.places.control
        argv = ("sh", "-c", _MOVE, "sh", control(to), control(to.other), f"{_DRAINED:g}")
        try:
            self.machine.run(*argv, deadline=_DRAINED + 15)
        except CommandFailed as error:
            raise self._silent(to, error.stderr.strip() or str(error)) from error

    def start(self, colour: Colour) -> None:
        """Start a colour and wait until it is ready; CommandFailed where it does not get there."""
        self.machine.run("systemctl", "start", colour.unit, deadline=_STARTED)

    def stop(self, colour: Colour) -> None:
        """Stop a colour, if it runs; also one that is about to be started again."""
        self.machine.run("systemctl", "stop", colour.unit, deadline=_STARTED)

    def unpin(self, colour: Colour) -> None:
        """Let go of a colour's version: it starts with the one that the system brings."""
        places = self.places
        self.machine.run("rm", "-f", places.pinned_settings(colour), places.pinned(colour))

    def version(self, colour: Colour) -> Version | None:
        """What a colour is pinned to; nothing where it has never run."""
        return self._version(self.places.pinned(colour), self.places.pinned_settings(colour))

    def wanted(self) -> Version:
        """What the system brings; NoRuntime where it brings none."""
        if found := self._version(self.places.program, self.places.settings):
            return found
        raise NoRuntime(
            f"{self.machine.name} has no {self.places.program}: no system with a runtime in two "
            "colours was applied to it",
            hint=f"write a section runtime: in its host.yaml, then: emily-infra apply "
            f"{self.machine.name}",
        )

    def last_words(self, colour: Colour) -> str:
        """The end of a colour's journal, for a message."""
        argv = ("journalctl", "--no-pager", "--output=cat", "--lines=5", f"--unit={colour.unit}")
        with contextlib.suppress(CommandFailed, Unreachable):
            return self.machine.run(*argv).strip()
        return ""

    def _version(self, program: str, settings: str) -> Version | None:
        script = '[ -e "$1" ] && [ -e "$2" ] || exit 0; readlink -f "$1"; cat "$2"'
        path, _, text = self.machine.run("sh", "-c", script, "sh", program, settings).partition(
            "\n"
        )
        return Version(path, text) if path else None

    def _silent(self, colour: Colour, why: str) -> NoAnswer:
        name, where = self.machine.name, self.places.control(colour)
        return NoAnswer(
            f"the {colour} runtime of {name} does not answer on {where}: {why}",
            hint=f"emily-infra runtime logs {name}",
        )
