"""Programs that talk while they work: each line is heard as it comes."""

import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from math import inf

from emily_infra.machine.child import Ears, Program, Wires, attended, start
from emily_infra.machine.deadline import Deadline
from emily_infra.machine.faults import Ending, Expired, short
from emily_infra.machine.tail import Tail

LONGEST = 64 << 20
"""Bytes of a line that are kept; restic writes a whole list of snapshots as one."""

Hear = Callable[[bytes], None]


def unheard(line: bytes) -> None:
    """Nobody listens."""


class Lines:
    """Makes lines of what comes in pieces; memory is bounded by the longest."""

    def __init__(self, on_line: Hear, longest: int = LONGEST) -> None:
        self._on_line = on_line
        self._longest = longest
        self._pending = bytearray()

    def hear(self, data: bytes) -> None:
        """Take DATA in; nothing is the end, where a last line may lack its own."""
        begin = 0
        while (end := data.find(b"\n", begin)) >= 0:
            self._keep(data[begin:end])
            self._pass_on()
            begin = end + 1
        self._keep(data[begin:])
        if not data and self._pending:
            self._pass_on()

    def _keep(self, part: bytes) -> None:
        self._pending += part[: self._longest - len(self._pending)]

    def _pass_on(self) -> None:
        line = bytes(self._pending)
        self._pending.clear()
        self._on_line(line)


def stream(
    program: Program,
    on_line: Hear,
    *,
    on_complaint: Hear = unheard,
    stdin: bytes = b"",
    deadline: float = inf,
) -> Ending:
    """Run PROGRAM to its end and hear its lines; an exit status that is not 0 is no error here.

    At the deadline, and where on_line raises, it is ended as by Ctrl-C, with time to clean up.
    """
    clock, said, ears = Deadline.after(deadline), Tail(), Ears()
    with ExitStack() as stack:
        child = start(program, Wires(stdin=_fed(stack, stdin)))
        stack.enter_context(attended((child,), ears, program.patience))
        ears.on(child.stdout, Lines(on_line).hear)
        ears.on(child.stderr, both(said, on_complaint))
        try:
            ears.listen((child,), clock)
        except TimeoutError as error:
            raise expired(program, deadline, said) from error
    return Ending(child.returncode, "", said.text())


def both(said: Tail, on_complaint: Hear) -> Hear:
    """Keeps the end of what a program says on stderr, and passes its lines on."""
    lines = Lines(on_complaint)

    def hear(data: bytes) -> None:
        said.hear(data)
        lines.hear(data)

    return hear


def expired(program: Program, seconds: float, said: Tail) -> Expired:
    """The error for a program that did not end in its time."""
    last = "".join(f"\n  {line}" for line in said.text().strip().splitlines()[-5:])
    return Expired(
        f"{short(program.argv)} did not end within {seconds:g} s and was stopped{last}",
        hint=f"watch it by hand: {short(program.argv)}",
    )


def _fed(stack: ExitStack, data: bytes) -> int:
    """A descriptor to read DATA from; a file, so that nobody has to write while it is read."""
    if not data:
        return subprocess.DEVNULL
    descriptor = os.memfd_create("stdin")
    stack.callback(os.close, descriptor)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
