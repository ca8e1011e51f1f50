"""What a deploy tells, as it happens: a live line, plain lines, or JSON lines."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from emily_infra.cli.output import lasting, mention, printable, report, tell, width

if TYPE_CHECKING:
    from rich.console import RenderableType

    from emily_infra.apply.progress import Event, Phase, Progress
    from emily_infra.apply.schedule import Outcome

_STILL = 10.0
"""Seconds of silence after which a plain line says what still goes on."""


@dataclass
class Going:
    """Which phase each host is in, and since when."""

    since: "dict[str, tuple[Phase, float]]" = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, event: "Event") -> None:
        """Take in an event."""
        from emily_infra.apply.progress import Began, Finished

        with self.lock:
            if isinstance(event, Began):
                self.since[event.host] = event.phase, time.monotonic()
            elif isinstance(event, Finished):
                self.since.pop(event.host, None)

    def lines(self) -> list[tuple[str, str, float]]:
        """Host, phase and seconds of whatever goes on."""
        now = time.monotonic()
        with self.lock:
            return [(host, phase.value, now - at) for host, (phase, at) in self.since.items()]


@contextmanager
def telling(*, as_json: bool) -> "Iterator[Progress]":
    """Whoever is told, in the way that suits where it goes; should nobody listen, it goes on."""
    if as_json:
        yield _json
    elif sys.stderr.isatty():
        with _live() as told:
            yield told
    else:
        with _plain() as told:
            yield told


def as_line(event: "Event") -> str:
    """An event in words."""
    from emily_infra.apply.progress import Began, Finished, Said

    match event:
        case Began():
            return f"{event.host}: {event.phase.value}"
        case Finished():
            return f"{event.host}: {event.phase.value}: {event.seconds:.0f} s"
        case Said():
            return f"{event.host}:   {printable(event.text)}"


@contextmanager
def _plain() -> "Iterator[Progress]":
    going, over = Going(), threading.Event()

    def still() -> None:
        while not over.wait(_STILL):
            for host, phase, seconds in going.lines():
                if seconds >= _STILL:
                    mention(f"{host}: still: {phase}, {seconds:.0f} s")

    def told(event: "Event") -> None:
        going.hear(event)
        mention(as_line(event))

    threading.Thread(target=still, daemon=True).start()
    try:
        yield told
    finally:
        over.set()


@contextmanager
def _live() -> "Iterator[Progress]":
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from emily_infra.apply.progress import Began

    going = Going()

    def now() -> "RenderableType":
        rows = (f"{host}: {phase} ... {seconds:.0f} s" for host, phase, seconds in going.lines())
        return Text("\n".join(rows), style="bold")

    console = Console(stderr=True, width=width(), highlight=False)
    live = Live(console=console, get_renderable=now, refresh_per_second=4, transient=True)

    def told(event: "Event") -> None:
        going.hear(event)
        if not isinstance(event, Began):  # the live line says so
            with lasting(sys.stderr):
                live.console.print(Text(as_line(event)))

    live.start()
    try:
        yield told
    finally:
        with lasting(sys.stderr):
            live.stop()


def _json(event: "Event") -> None:
    from emily_infra.apply.progress import Said

    kind = type(event).__name__.lower()
    data: dict[str, object] = {"type": kind, "host": event.host, "at": _now()}
    if isinstance(event, Said):
        data["text"] = event.text
    else:
        data["phase"] = event.phase.name.lower()
        if hasattr(event, "seconds"):
            data["seconds"] = round(event.seconds, 1)
    report(json.dumps(data, ensure_ascii=False))


def tell_outcome(host: str, outcome: "Outcome") -> None:
    """The last JSON line of a host."""
    data = {
        "type": "outcome", "host": host, "at": _now(), "verdict": outcome.verdict.value,
        "detail": outcome.detail, "pending_reboot": outcome.pending, "code": outcome.exit_code,
    }  # fmt: skip
    report(json.dumps(data, ensure_ascii=False))


def tell_intention(host: str, summary: str) -> None:
    """The first JSON line of a host: what would be done, or why nothing can be."""
    data = {"type": "plan", "host": host, "at": _now(), "summary": summary}
    tell(json.dumps(data, ensure_ascii=False))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
