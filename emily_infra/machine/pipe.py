"""Several programs, each reading what the one before it writes."""

import contextlib
import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf

from emily_infra.machine.child import CHUNK, Ears, Program, Wires, all_gone, attended, end, start
from emily_infra.machine.deadline import Deadline
from emily_infra.machine.faults import Ending, Expired, short
from emily_infra.machine.stream import both, expired
from emily_infra.machine.tail import Tail

_PIPE_SIZE = 1 << 20


def _uncounted(count: int) -> None:
    """Nobody counts."""


def _unheard(program: int, line: bytes) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Meter:
    """Counts, and slows, what flows from the first program to the second."""

    on_bytes: Callable[[int], None] = _uncounted
    """Hears how many more have passed, on a thread of its own."""
    limit: int | None = None
    """Bytes in a second."""


def pipe(
    programs: Sequence[Program],
    *,
    on_complaint: Callable[[int, bytes], None] = _unheard,
    meter: Meter | None = None,
    source: int = subprocess.DEVNULL,
    deadline: float = inf,
) -> tuple[Ending, ...]:
    """Run a chain to its end; the ending of each, and with the last one what it wrote (its end).

    on_complaint hears each line of stderr with its program's place in the chain. Once the last one
    is gone nobody reads: those before it that do not notice in their patience are ended.
    """
    clock, ears, answer = Deadline.after(deadline), Ears(), Tail()
    said = [Tail() for _ in programs]
    children: list[subprocess.Popen[bytes]] = []
    patience = max(program.patience for program in programs)
    with attended(children, ears, patience):
        _chain(children, programs, source, meter)
        ears.on(children[-1].stdout, answer.hear)
        for place, child in enumerate(children):
            ears.on(child.stderr, both(said[place], partial(on_complaint, place)))
        try:
            ears.listen(children, clock, patience)
        except TimeoutError as error:
            if clock.passed:
                raise expired(programs[0], deadline, said[0]) from error
            end(children, ears, patience)
    if not all_gone(children):
        raise _left_behind(programs, children, said[-1])
    written = [""] * (len(programs) - 1) + [answer.text()]
    return tuple(
        Ending(child.returncode, text, tail.text())
        for child, text, tail in zip(children, written, said, strict=True)
    )


def _left_behind(
    programs: Sequence[Program], children: "Sequence[subprocess.Popen[bytes]]", said: Tail
) -> Expired:
    """The error for a program that hangs in the kernel after nobody reads from it any more."""
    stuck = next(at for at, child in enumerate(children) if child.poll() is None)
    words = short(programs[stuck].argv)
    last = "".join(f"\n  {line}" for line in said.text().strip().splitlines()[-5:])
    return Expired(
        f"{short(programs[-1].argv)} ended with {children[-1].returncode}, and {words} hangs: "
        f"no signal ends it, and it was left behind{last}",
        hint="zpool status -x; dmesg | tail -50    # a pool that stands still does this",
    )


def _chain(
    children: "list[subprocess.Popen[bytes]]",
    programs: Sequence[Program],
    source: int,
    meter: Meter | None,
) -> None:
    """Start them; where one does not start, those before it are among the children to end."""
    stdin, ours = source, False
    for place, program in enumerate(programs):
        try:
            child = start(program, Wires(stdin=stdin))
        finally:
            if ours:
                os.close(stdin)
        children.append(child)
        if place < len(programs) - 1:
            stdin, ours = _onward(child, meter if place == 0 else None), True


def _onward(child: "subprocess.Popen[bytes]", meter: Meter | None) -> int:
    """A descriptor from which the next program reads what CHILD writes."""
    assert child.stdout
    taken = os.dup(child.stdout.fileno())
    child.stdout.close()
    with contextlib.suppress(OSError):  # a user's share of pipe memory is used up
        fcntl.fcntl(taken, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    if meter is None:
        return taken
    reading, writing = os.pipe()
    threading.Thread(target=_pump, args=(taken, writing, meter), daemon=True).start()
    return reading


def _pump(reading: int, writing: int, meter: Meter) -> None:
    """Move all there is; the bytes themselves never come up here (splice(2))."""
    begun, moved = time.monotonic(), 0
    step = CHUNK if meter.limit is None else max(1, min(CHUNK, meter.limit // 10))
    try:
        while count := os.splice(reading, writing, step):
            moved += count
            meter.on_bytes(count)
            if meter.limit is not None:
                time.sleep(max(0.0, moved / meter.limit - (time.monotonic() - begun)))
    except BrokenPipeError:
        pass  # the next one has ended; its status says why
    finally:
        os.close(reading)
        os.close(writing)
