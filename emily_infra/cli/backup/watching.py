"""A long run, as it goes on: a bar for who watches, now and then a line for the journal."""

import gc
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emily_infra.cli.moments import span
from emily_infra.cli.output import lasting, mention, printable, width
from emily_infra.spec.units import approximately

if TYPE_CHECKING:
    from rich.console import Console

    from emily_infra.backup.progress import Going, Progress

EVERY = 30.0
"""Seconds between two lines of a journal."""
_A_SECOND = 4


@contextmanager
def going(title: str) -> "Iterator[Progress]":
    """Whoever is told of a run, in the way that suits where it goes.

    What systemd stops ends as by Ctrl-C: with its programs, its mounts and its holds.
    """
    gc.enable()  # the entry point has it off, which suits short runs
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if sys.stderr.isatty():
        from rich.console import Console

        with bar(title, Console(stderr=True, width=width(), highlight=False)) as told:
            yield told
    else:
        yield Lines(title).hear


class Lines:
    """A line at most every 30 seconds; the first one only after that, most runs are short."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._clock = clock
        self._began = self._told = clock()

    def hear(self, going: "Going") -> None:
        """Say it, if it is time to."""
        now = self._clock()
        if now - self._told >= EVERY:
            self._told = now
            mention(f"{self._title}: {words(going, now - self._began)}")


def words(going: "Going", seconds: float) -> str:
    """How far it is after so many seconds, in one line."""
    files = f"{going.files} of {going.of_files} files" if going.of_bytes else f"{going.files} files"
    counted = f", {files}" if going.files or going.of_files else ""
    return f"{amounts(going, seconds)}{counted}" + (f"; {printable(going.now)}" * bool(going.now))


def amounts(going: "Going", seconds: float) -> str:
    """Percent, bytes, rate and time left, as far as they are known."""
    speed = going.bytes / seconds if seconds > 0 else 0.0
    rate = f"{approximately(int(speed))}/s"
    if not going.of_bytes:
        return f"{approximately(going.bytes)} so far, {rate}"
    percent = 100 * going.bytes // going.of_bytes
    said = f"{percent} %, {approximately(going.bytes)} of {approximately(going.of_bytes)}, {rate}"
    return said + (f", {span(int((going.of_bytes - going.bytes) / speed))} left" if speed else "")


@contextmanager
def bar(title: str, console: "Console") -> "Iterator[Progress]":
    """Percent, bytes, rate, time left; and below it the file that is read."""
    from rich.console import Group, RenderableType
    from rich.live import Live
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.text import Text

    shown = Progress(
        TextColumn("{task.description}"), BarColumn(None), TextColumn("{task.fields[rest]}"),
        console=console, expand=True,
    )  # fmt: skip
    task = shown.add_task(printable(title), total=None, rest="")
    began, file = time.monotonic(), Text("", no_wrap=True, overflow="ellipsis", style="dim")

    def both() -> RenderableType:
        return Group(shown, file)

    def told(going: "Going") -> None:
        file.plain = printable(going.now)
        rest = amounts(going, time.monotonic() - began)
        shown.update(task, completed=going.bytes, total=going.of_bytes or None, rest=rest)

    live = Live(console=console, get_renderable=both, refresh_per_second=_A_SECOND, transient=True)
    with lasting(sys.stderr):
        live.start()
    try:
        yield told
    finally:
        with lasting(sys.stderr):
            live.stop()
