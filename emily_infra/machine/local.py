"""This very machine: its own commands, and the tools that act on others."""

import contextlib
import errno
import os
import selectors
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emily_infra.machine.deadline import Deadline
from emily_infra.machine.elevate import ROOT, AsRoot
from emily_infra.machine.faults import CommandFailed, Ending, Expired, short
from emily_infra.machine.tail import Tail

_CHUNK = 256 * 1024
_TICK = 1.0
_GRACE = 2.0


@dataclass(frozen=True)
class Local:
    """Runs commands here; on_line hears each line of stderr as it comes (progress)."""

    name: str = "localhost"
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    on_line: Callable[[str], None] | None = None
    elevation: AsRoot = ROOT

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """Standard output of ARGV; at the deadline the command and its children are killed."""
        clock = Deadline.after(deadline)
        hearing = Tail(self.on_line)
        with _killed_on_error(self._start(argv)) as process:
            try:
                output = _converse(
                    process, stdin.encode("utf-8", "surrogateescape"), hearing, clock
                )
            except TimeoutError as error:
                raise self._expired(argv, deadline, hearing) from error
        ending = Ending(process.returncode, output.decode(errors="replace"), hearing.text())
        if ending.status != 0:
            raise self.elevation.failure(self.name, argv, ending, self._by_hand(argv))
        return ending.stdout

    def close(self) -> None:
        """Nothing is held open."""

    def _start(self, argv: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        command = self.elevation.wrap(argv)
        try:
            return _CHILDREN.start(
                lambda: subprocess.Popen(  # noqa: S603 (an argv list, no shell)
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=self.folder,
                    env={**os.environ, **self.environment},
                    start_new_session=True,  # a group of its own, to end it with all its children
                )
            )
        except OSError as error:
            status = 127 if isinstance(error, FileNotFoundError) else 126
            raise CommandFailed(
                self.name,
                command,
                Ending(status, "", f"{error.filename or command[0]}: {error.strerror}"),
                hint=f"install {command[0]}, or put it on the PATH",
            ) from error

    def _expired(self, argv: tuple[str, ...], seconds: float, hearing: Tail) -> Expired:
        said = hearing.text().strip().splitlines()[-5:]
        return Expired(
            f"{short(argv)} did not end on {self.name} within {seconds:g} s and was killed"
            + "".join(f"\n  {line}" for line in said),
            hint=f"watch it by hand: {self._by_hand(argv)}",
        )

    def _by_hand(self, argv: tuple[str, ...]) -> str:
        where = f"cd {shlex.quote(str(self.folder))} && " if self.folder else ""
        names = "".join(f"{name}={shlex.quote(text)} " for name, text in self.environment.items())
        return where + names + shlex.join(self.elevation.wrap(argv))


def _converse(
    process: "subprocess.Popen[bytes]", stdin: bytes, hearing: Tail, clock: Deadline
) -> bytearray:
    """Everything that PROCESS says on stdout, while it is fed and its stderr is heard."""
    assert process.stdin
    assert process.stdout
    assert process.stderr
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, output.extend)
        selector.register(process.stderr, selectors.EVENT_READ, hearing.hear)
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(
            process.stdin, selectors.EVENT_WRITE, _Feed(process.stdin.fileno(), stdin)
        )
        while selector.get_map():
            for key, _ in selector.select(min(clock.left(), _TICK)):
                if not _moved(key):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]  # files, all three
            if clock.passed:
                raise TimeoutError
    hearing.finish()
    try:
        process.wait(clock.left())
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    return output


class _Feed:
    """What is still to be written to a process."""

    def __init__(self, file: int, data: bytes) -> None:
        self._file = file
        self._rest = memoryview(data)

    def more(self) -> bool:
        """Write what goes in now; whether there is more."""
        try:
            self._rest = self._rest[os.write(self._file, self._rest[:_CHUNK]) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:  # it has read enough; its exit status tells whether it is happy
            return False
        return bool(self._rest)


def _moved(key: selectors.SelectorKey) -> bool:
    """Whether the stream may have more, after one step of reading or writing."""
    if isinstance(key.data, _Feed):
        return key.data.more()
    data = os.read(key.fd, _CHUNK)
    key.data(data)
    return bool(data)


@contextlib.contextmanager
def _killed_on_error(
    process: "subprocess.Popen[bytes]",
) -> Iterator["subprocess.Popen[bytes]"]:
    """PROCESS, which doesn't outlive an error (or a Ctrl-C) in the block."""
    try:
        yield process
    except BaseException:
        kill_group(process)
        raise
    finally:
        _CHILDREN.forget(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                stream.close() if stream else None


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End PROCESS and its children: asked first, then by force, and reaped."""
    for word in (signal.SIGTERM, signal.SIGKILL):
        # Gone already, or root's by way of sudo: then the closed pipes have to do.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, word)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)


class _Children:
    """The commands that run here, whichever thread waits for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._over = False

    def start(self, begin: "Callable[[], subprocess.Popen[bytes]]") -> "subprocess.Popen[bytes]":
        """One more, unless all were ended."""
        with self._lock:
            if self._over:
                raise InterruptedError(errno.EINTR, "stopped by hand")
            process = begin()
            self._running.add(process)
            return process

    def forget(self, process: "subprocess.Popen[bytes]") -> None:
        """It has ended."""
        with self._lock:
            self._running.discard(process)

    def end(self) -> None:
        """All of them, and none begins any more."""
        with self._lock:
            self._over = True
            running = tuple(self._running)
        for process in running:
            kill_group(process)


_CHILDREN = _Children()


def end_children() -> None:
    """End every command that runs here, and let none begin: for who leaves without waiting."""
    _CHILDREN.end()
