"""A program of this machine that runs for as long as it takes, and is ended with care."""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import IO

from emily_infra.machine.deadline import Deadline
from emily_infra.machine.faults import CommandFailed, Ending

CHUNK = 256 * 1024
_TICK = 1.0
_INHERITED = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "LC_ALL", "TERM", "SSH_AUTH_SOCK",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "NIX_SSL_CERT_FILE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A command with its environment; of ours it gets the search path, home, proxies, no more."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    patience: float = 15.0
    """Seconds that it gets to clean up, once it was asked to stop."""


@dataclass(frozen=True)
class Wires:
    """What a program's standard input and output are: descriptors, or subprocess's words."""

    stdin: int = subprocess.DEVNULL
    stdout: int = subprocess.PIPE


def start(program: Program, wires: Wires) -> "subprocess.Popen[bytes]":
    """The program in a process group of its own, which the kernel ends if this process is killed.

    To the kernel (PR_SET_PDEATHSIG) that is the thread which calls: it must outlive the program.
    """
    environment = _environment(program)
    if shutil.which(program.argv[0], path=environment.get("PATH")) is None:
        raise _unknown(program, 127, "no such program on the PATH")
    try:
        return subprocess.Popen(  # noqa: S603 (an argv list, no shell)
            (*_leash(), *program.argv),
            stdin=wires.stdin,
            stdout=wires.stdout,
            stderr=subprocess.PIPE,
            cwd=program.folder,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise _unknown(program, 126, f"{error.filename}: {error.strerror}") from error


def _leash() -> tuple[str, ...]:
    """Words that tell a program of our death: it may hold a lock, or keep on writing."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


def _environment(program: Program) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**kept, **program.environment}


def _unknown(program: Program, status: int, why: str) -> CommandFailed:
    name = program.argv[0]
    return CommandFailed(
        "localhost",
        program.argv,
        Ending(status, "", f"{name}: {why}"),
        hint=f"install {name}, or put it on the PATH",
    )


class Ears:
    """Hears the open ends of several programs at once."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def on(self, stream: "IO[bytes] | None", hear: Callable[[bytes], None]) -> None:
        """Whatever comes out of STREAM goes to HEAR."""
        assert stream
        self._selector.register(stream, selectors.EVENT_READ, hear)

    def listen(
        self,
        children: "Sequence[subprocess.Popen[bytes]]",
        clock: Deadline,
        patience: float = inf,
    ) -> None:
        """Until all ends are closed and all children gone.

        TimeoutError at the deadline, or so many seconds of PATIENCE after the last child is gone.
        """
        lingering = Deadline.after(inf)
        while self._selector.get_map():
            # A grandchild that stays (ssh's ControlMaster) keeps the ends open for ever.
            if not self.turn(min(clock.left(), _TICK)) and all_gone(children):
                break
            if lingering.seconds == inf and _gone(children[-1]):
                lingering = Deadline.after(patience)
            if clock.passed or lingering.passed:
                raise TimeoutError
        _wait(children[-1], clock)
        if lingering.seconds == inf:
            lingering = Deadline.after(patience)
        for child in children:
            _wait(child, clock if clock.left() < lingering.left() else lingering)

    def turn(self, seconds: float) -> bool:
        """Hear what there is, after at most SECONDS of silence; whether there was anything."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            data = os.read(key.fd, CHUNK)
            key.data(data)
            if not data:
                self._selector.unregister(key.fileobj)
        return bool(ready)

    def close(self) -> None:
        """Hear nothing more."""
        for key in tuple(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
        self._selector.close()

    def deafen(self) -> None:
        """Go on reading, so that nobody blocks, and take nothing in."""
        for key in tuple(self._selector.get_map().values()):
            self._selector.modify(key.fileobj, selectors.EVENT_READ, _unheard)


def _unheard(data: bytes) -> None:
    """What is said after the end."""


def _gone(child: "subprocess.Popen[bytes]") -> bool:
    return child.poll() is not None


def all_gone(children: "Sequence[subprocess.Popen[bytes]]") -> bool:
    """Whether none of them runs any more."""
    return all(_gone(each) for each in children)


def _wait(child: "subprocess.Popen[bytes]", clock: Deadline) -> None:
    try:
        child.wait(None if clock.seconds == float("inf") else clock.left())
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error


@contextlib.contextmanager
def attended(
    children: "Sequence[subprocess.Popen[bytes]]", ears: Ears, patience: float
) -> Iterator[None]:
    """A block that no child outlives: after an error or a Ctrl-C each is asked, then made, to end.

    What hangs in the kernel (a suspended pool) is left behind: no signal ends it.
    """
    try:
        yield
    except BaseException:
        ears.deafen()
        end(children, ears, patience)
        raise
    finally:
        ears.close()
        for child in children:
            for stream in (child.stdin, child.stdout, child.stderr):
                with contextlib.suppress(OSError):
                    stream.close() if stream else None


def end(children: "Sequence[subprocess.Popen[bytes]]", ears: Ears, patience: float) -> None:
    """Ask each to end, then make it; some may still be there, since no signal ends those."""
    for word, seconds in ((signal.SIGINT, patience), (signal.SIGTERM, 3), (signal.SIGKILL, 2)):
        _signal(children, word)
        with contextlib.suppress(KeyboardInterrupt):  # in a hurry: on to the harder word
            _until_gone(children, ears, seconds)


def _signal(children: "Sequence[subprocess.Popen[bytes]]", word: signal.Signals) -> None:
    for child in children:
        if child.poll() is None or word is signal.SIGKILL:  # it may have left children of its own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, word)


def _until_gone(children: "Sequence[subprocess.Popen[bytes]]", ears: Ears, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not all_gone(children):
        if not ears.turn(0.05):
            time.sleep(0.01)
