"""The conversation with the host's own program, over connections that may break at any time."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from emily_infra.apply.errors import Locked, NotBegun, StalePlan
from emily_infra.apply.host import program
from emily_infra.apply.order import Order, Ticket, settings
from emily_infra.machine import CommandFailed, Machine, Unreachable

DEPLOYS = "/var/lib/emily/deploys"
VERDICTS = ("committed", "abandoned", "rolled-back", "lost")
_LOCKED, _STALE, _TOO_LATE = 75, 76, 78
_END = "EMILY_END_OF_FILE"

# Whole or not at all, and on the disk before anything refers to it.
_UPLOAD = """\
umask 077
mkdir -p {folder} && cd {folder} && mkdir {id}.new && cd {id}.new || exit 1
cat >settings <<'{end}'
{settings}{end}
cat >token <<'{end}'
{token}
{end}
cat >host.sh <<'{end}'
{program}{end}
sync settings token host.sh && cd .. && mv {id}.new {id} && sync . || exit 1
"""


@dataclass(frozen=True)
class Report:
    """What one question to the host brought home."""

    supervised: bool
    boot_id: str
    seconds_left: int | None
    """Until the host decides by itself."""
    events: tuple[dict[str, str], ...]
    journal: tuple[str, ...]
    seen: int
    cursor: str


@dataclass(frozen=True)
class Hello:
    """Who answers on a new connection."""

    token: str
    boot_id: str
    current: str


@dataclass
class Line:
    """A connection that is made anew where it breaks; one command at a time."""

    connect: Callable[[], Machine]
    ticket: Ticket
    _machine: Machine | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def machine(self) -> Iterator[Machine]:
        """The machine, for a block; after Unreachable the next block gets a new one."""
        with self._lock:
            if self._machine is None:
                self._machine = self.connect()
            try:
                yield self._machine
            except Unreachable:
                self._drop()
                raise

    def close(self) -> None:
        """Let the connection go; what runs on the host runs on."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        machine, self._machine = self._machine, None
        if machine:
            with contextlib.suppress(Unreachable):
                machine.close()

    def ask(self, word: str, *more: str, stdin: str = "", deadline: float = 30.0) -> str:
        """What the host's program answers."""
        with self.machine() as machine:
            return ask(machine, self.ticket.id, word, *more, stdin=stdin, deadline=deadline)

    def lease(self, order: Order) -> None:
        """Put the program on the host and take the lock; Locked and StalePlan where it refuses."""
        text = _UPLOAD.format(
            folder=DEPLOYS, id=self.ticket.id, end=_END, token=self.ticket.token,
            settings=settings(order, self.ticket), program=program(),
        )  # fmt: skip
        with self.machine() as machine:
            machine.run("sh", "-s", stdin=text)
        try:
            self.ask("lease", deadline=120)
        except CommandFailed as error:
            raise _refusal(order.host, error) from error

    def secret(self, word: str, reason: str = "") -> bool:
        """Say go, confirm or cancel with the secret; False where all is decided already."""
        try:
            self.ask(word, stdin=f"{self.ticket.token}\n{reason}\n")
        except CommandFailed as error:
            if error.status == _TOO_LATE:
                return False
            raise
        return True

    def poll(self, seen: int, cursor: str) -> Report:
        """What is new since the line SEEN of the record."""
        return _report(self.ask("poll", str(seen), cursor), seen, cursor)


def ask(machine: Machine, id: str, word: str, *more: str, stdin: str = "", deadline: float) -> str:  # noqa: A002
    """One question to a deploy's program over any connection."""
    script = f"{DEPLOYS}/{id}/host.sh"
    return machine.run("/bin/sh", script, word, id, *more, stdin=stdin, deadline=deadline)


def hello(machine: Machine, id: str) -> Hello:  # noqa: A002
    """Ask who is there."""
    lines = [line.split(" ") for line in ask(machine, id, "hello", deadline=20).splitlines()]
    one = {words[0]: words[1] for words in lines if len(words) == 2}
    return Hello(
        token=one.get("token", ""),
        boot_id=one.get("boot_id", ""),
        current=one.get("current", ""),
    )


def _refusal(host: str, error: CommandFailed) -> NotBegun:
    words = (error.stdout or "").strip().splitlines()
    said = words[-1] if words else ""
    if error.status == _STALE:
        why = said.removeprefix("stale stale: ")
        return StalePlan(
            f"{host} is not what the plan was made for: {why}",
            hint=f"look at the new plan: emily-infra plan {host}",
        )
    if error.status != _LOCKED:
        return NotBegun(str(error), hint=error.hint)
    _, other, since, who = [*said.split(" ", 3), "", "", "", ""][:4]
    who = f"{who} (deploy {other}, since {since})" if other else "an operation without a record"
    return Locked(
        f"{host} is being worked on by {who}",
        hint=f"wait for its verdict: emily-infra history {host}",
    )


def _report(text: str, seen: int, cursor: str) -> Report:
    state, events, journal = ["", "", "-"], [], []
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "S":
            state = [*rest.split(" "), "", ""][:3]
        elif kind == "E":
            seen += 1
            events.append(_event(rest))
        elif kind == "J":
            journal.append(rest)
        elif kind == "C":
            cursor = rest
    left = int(state[2]) if state[2].lstrip("-").isdigit() else None
    known = tuple(event for event in events if event)
    return Report(state[0] == "supervised", state[1], left, known, tuple(journal), seen, cursor)


def _event(text: str) -> dict[str, str]:
    try:
        return {str(key): str(value) for key, value in json.loads(text).items()}
    except (ValueError, AttributeError):  # a power cut tears a line
        return {}
