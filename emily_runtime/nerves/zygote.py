"""The process that workers are forked from: its imports are done, so a new one takes milliseconds.

It has one thread and no event loop, so that forking it is safe. It ends when its starter's socket
closes, and its workers with it; signals to the whole service are for the main process to answer.
"""

import ctypes
import gc
import os
import pickle
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from types import TracebackType
from typing import Any, NamedTuple

LENGTH = struct.Struct("<Q")
PID = struct.Struct("<I")
READY = b"+"
_PR_SET_PDEATHSIG = 1


class Outcome(NamedTuple):
    """What a job came to."""

    value: Any
    error: str = ""
    """Kind and text of what it raised."""
    story: str = ""
    """The traceback, for the log."""


def framed(content: object) -> bytes:
    """As it goes over a worker's socket, in both directions."""
    body = pickle.dumps(content, protocol=5)
    return LENGTH.pack(len(body)) + body


def main(arguments: Sequence[str]) -> None:
    """Import modules, then fork a worker for every socket that arrives, and answer its number."""
    door = socket.socket(fileno=int(arguments[0]))
    for name in arguments[1:]:
        import_module(name)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the workers
    libc = ctypes.CDLL(None)
    gc.freeze()
    door.sendall(READY)
    while True:
        request, sockets, _, _ = socket.recv_fds(door, 1, 1)
        if not request:
            return
        parent = os.getpid()
        child = os.fork()
        if not child:
            door.close()
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == parent:
                _work(socket.socket(fileno=sockets[0]))
            os._exit(0)
        os.close(sockets[0])
        door.sendall(PID.pack(child))


def _work(door: socket.socket) -> None:
    """Do one job after another until the other side closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with door.makefile("rb") as source:
        while head := source.read(LENGTH.size):
            function, arguments = pickle.loads(source.read(LENGTH.unpack(head)[0]))  # noqa: S301 - from the process that started this one
            reply = b""
            with _Caught() as caught:
                reply = framed(Outcome(function(*arguments)))
            door.sendall(reply or framed(caught.outcome))


class _Caught:
    """A with-block that turns what is raised in it into an outcome."""

    outcome = Outcome(None)

    def __enter__(self) -> "_Caught":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None:
            return False
        story = "".join(traceback.format_exception(error))
        self.outcome = Outcome(None, f"{type(error).__name__}: {error}", story)
        return True


if __name__ == "__main__":
    main(sys.argv[1:])
