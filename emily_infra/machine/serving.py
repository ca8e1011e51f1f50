"""A program that serves for as long as a block takes, and never longer."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator

from emily_infra.machine.child import Program, Wires, start


@contextlib.contextmanager
def serving(program: Program, ending: signal.Signals) -> Iterator[Callable[[], bool]]:
    """PROGRAM, which writes its log itself; at the end it gets ENDING, then it is killed.

    What is handed out tells whether it still runs.
    """
    child = start(program, Wires(stdout=subprocess.DEVNULL))
    try:
        yield lambda: child.poll() is None
    finally:
        child.send_signal(ending)
        try:
            child.wait(program.patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(program.patience)
        if child.stderr:
            child.stderr.close()
