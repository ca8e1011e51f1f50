"""How findings and errors look in a terminal."""

import json
import os
import shutil
import sys
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TextIO

import typer

from emily_infra.findings import Finding, Location, Severity, dotted

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}


def complain(message: str, hint: str) -> None:
    """An error and the next move, on stderr."""
    say(typer.style("error ", fg="red", bold=True) + message)
    say(typer.style("hint: ", fg="cyan") + hint)


def say(text: str) -> None:
    """A line of the story: stderr, so that stdout holds only the result."""
    typer.echo(text, err=True, color=colour())


def tell(text: str) -> None:
    """A line of the result: stdout."""
    typer.echo(text, color=colour())


def mention(text: str) -> None:
    """As `say`, once something may have been changed."""
    with lasting(sys.stderr):
        say(text)


def report(text: str) -> None:
    """As `tell`, once something may have been changed."""
    with lasting(sys.stdout):
        tell(text)


@contextmanager
def lasting(stream: TextIO) -> Iterator[None]:
    """A reader may go away, and the disk of a log be full: that ends the words, and no work."""
    try:
        yield
    except OSError:
        silence(stream)


def silence(stream: TextIO) -> None:
    """Nothing more can be written: Python would try once more at its end, and speak of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def colour() -> bool | None:
    """Colours as the terminal takes them; never where NO_COLOR is set (https://no-color.org)."""
    return False if os.environ.get("NO_COLOR") else None


def width() -> int:
    """The terminal's columns, within reason."""
    return min(max(shutil.get_terminal_size().columns, 40), 160)


def as_text(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings as a person reads them: place, code, message, the line itself, hint."""
    for finding in findings:
        mark = typer.style(finding.severity.value, fg=_COLOURS[finding.severity], bold=True)
        code = typer.style(finding.code, bold=True)
        if finding.acknowledged:
            mark = typer.style("acknowledged", fg="green")
        yield f"{finding.location}: {mark} {code}"
        yield from _paragraph(finding.message)
        yield from _excerpt(finding.location)
        if finding.acknowledged:
            yield from _paragraph(f"accepted: {finding.acknowledged}")
        else:
            hint, *commands = finding.hint.split("\n")
            yield from _paragraph(f"hint: {hint}")
            yield from (f"  {printable(each)}" for each in commands)  # whole, to be pasted
        yield ""


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(
        printable(text), width() - 2, initial_indent="  ", subsequent_indent="  ",
        break_on_hyphens=False,
    )  # fmt: skip


def _excerpt(place: Location) -> Iterator[str]:
    if not place.text.strip():
        return
    gutter = f"{place.line:>6} | "
    window = _window(place, width() - len(gutter) - 2)
    yield typer.style(gutter, dim=True) + window.text
    blank = " " * (len(gutter) - 2) + "| "
    under = " " * cells(window.before) + typer.style("^" * cells(window.marked), fg="red")
    yield typer.style(blank, dim=True) + under


class _Window(NamedTuple):
    """The part of a line that fits the terminal, with the marked span in it."""

    text: str
    before: str
    marked: str


def _window(place: Location, room: int) -> _Window:
    start = place.column - 1
    cut = max(0, start + min(place.width, room // 2) - room)
    line = printable(place.text)
    head = "…" if cut else ""
    tail = "…" if len(line) > cut + room else ""
    before = head + line[cut + len(head) : start]
    marked = line[start : min(start + place.width, cut + room)] or " "
    return _Window(head + line[cut + len(head) : cut + room] + tail, before, marked)


def printable(text: str) -> str:
    """Text without characters that would move the cursor or change direction."""
    return "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)


def cells(text: str) -> int:
    """Columns that text fills: wide characters take two, combining ones none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(bool(unicodedata.combining(c)) for c in text)


def summary(findings: list[Finding], hosts: int) -> str:
    """One line: how many of each."""
    open_ones = [f for f in findings if f.acknowledged is None]
    count = Counter(f.severity for f in open_ones)
    parts = [_plural(count[s], s.value) for s in Severity if count[s]]
    if accepted := len(findings) - len(open_ones):
        parts.append(f"{accepted} acknowledged")
    return f"{_plural(hosts, 'host')} checked: {', '.join(parts) or 'nothing to complain about'}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def as_data(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Findings for a program."""
    return [
        {
            "code": f.code,
            "severity": f.severity.value,
            "host": f.host,
            "file": f.location.file,
            "line": f.location.line,
            "column": f.location.column,
            "place": dotted(f.place),
            "message": f.message,
            "hint": f.hint,
            "acknowledged": f.acknowledged,
        }
        for f in findings
    ]


def tell_json(data: object) -> None:
    """Data for a program, on stdout."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))


def report_json(data: object) -> None:
    """As `tell_json`, once something may have been changed."""
    with lasting(sys.stdout):
        tell_json(data)
