"""Work in processes of their own, with a warm one beside: a killed worker costs milliseconds."""

import asyncio
import json
import os
import pickle
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from emily_runtime.messages import Refused
from emily_runtime.nerves.clock import Clock
from emily_runtime.nerves.supervise import Patience
from emily_runtime.nerves.zygote import LENGTH, PID, READY, Outcome, framed

T = TypeVar("T")
ATTEMPTS = 3
"""Workers that a job may cost before it is blamed for it."""
_AFTER = 0.005
"""Seconds that a spare gets before the next one is made; it halves the time of a recovery."""
_SECOND = 1_000_000_000
_ENDED = "the process that forks them ended"
# The path goes along: a packaged program may know places that a bare interpreter does not.
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from emily_runtime.nerves.zygote import main; main(sys.argv[2:])"
)


class JobFailed(Exception):
    """A job raised; the text says what, and `story` holds its traceback."""

    def __init__(self, error: str, story: str) -> None:
        super().__init__(error)
        self.story = story


class _Gone(Exception):
    """The process at the other end is no more."""


class _Link(asyncio.Protocol):
    """The socket of a worker."""

    def __init__(self, process: int, on_gone: "Callable[[_Link], None]") -> None:
        self.process = process
        """A file descriptor of it, which no later process can take over as it can a number."""
        self.is_gone = False
        self.is_dismissed = False
        self._on_gone = on_gone
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._answer: asyncio.Future[Outcome] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it to write to."""
        self._transport = transport  # type: ignore[assignment]  # a stream's

    def data_received(self, data: bytes) -> None:
        """Put an answer together."""
        self._buffer += data
        if len(self._buffer) < LENGTH.size:
            return
        end = LENGTH.size + LENGTH.unpack_from(self._buffer)[0]
        if len(self._buffer) >= end:
            outcome = pickle.loads(self._buffer[LENGTH.size : end])  # noqa: S301 - from our own child
            self._buffer.clear()
            if self._answer and not self._answer.done():
                self._answer.set_result(outcome)

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell whoever waits, and the owner."""
        self.is_gone = True
        if self._answer and not self._answer.done():
            self._answer.set_exception(_Gone())
        if self.process >= 0:
            os.close(self.process)
            self.process = -1
        self._on_gone(self)

    async def ask(self, job: bytes) -> Outcome:
        """What a job comes to; _Gone where the worker dies over it."""
        if self.is_gone or not self._transport:
            raise _Gone
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(job)
        return await self._answer

    def kill(self) -> None:
        """End it, whatever it does."""
        self.is_dismissed = True
        if self.process >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.process, signal.SIGKILL)
        if self._transport:
            self._transport.abort()


class Standby:
    """Workers, of which some work and the rest stand by; jobs are run again if a worker dies.

    A job is a function that can be pickled by its name, and does no harm when begun twice. Its
    module belongs into PRELOAD: a spare that has yet to import it is not warm.
    """

    def __init__(
        self,
        clock: Clock,
        preload: Sequence[str] = ("numpy",),
        working: int = 1,
        spares: int = 1,
        recovered: Callable[[float], object] = float,
    ) -> None:
        """RECOVERED is told the seconds from a worker's death over a job to the next one's begin.

        Processes are made at the start, or with the first job.
        """
        self.deaths = 0
        """Workers that have died without being told to."""
        self._clock = clock
        self._preload = preload
        self._recovered = recovered
        self._most = working + spares
        self._turn = asyncio.Semaphore(working)
        self._idle: deque[_Link] = deque()
        self._links: set[_Link] = set()
        self._changed = asyncio.Condition()
        self._refill: asyncio.Task[None] | None = None
        self._zygote: asyncio.subprocess.Process | None = None
        self._door: socket.socket | None = None
        self._is_stopping = False
        self._reason = ""
        """Why there are no workers, once that has been given up."""

    async def start(self) -> None:
        """Return when all workers are ready; Refused where no process can be made."""
        self._fill()
        await self._idle_are(self._most)

    def ready(self) -> int:
        """How many workers are idle."""
        return len(self._idle)

    def processes(self) -> tuple[int, ...]:
        """File descriptors of the workers' processes."""
        return tuple(link.process for link in self._links)

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        """What FUNCTION returns there; JobFailed where it raises, Refused where it kills workers.

        Cancelled, it kills the worker: nothing else ends a computation.
        """
        job = framed((function, arguments))
        async with self._turn:
            died_ns: int | None = None
            for _ in range(ATTEMPTS):
                link = await self._take()
                if died_ns is not None:
                    self._recovered((self._clock.monotonic_ns() - died_ns) / _SECOND)
                try:
                    outcome = await link.ask(job)
                except _Gone:
                    died_ns = self._clock.monotonic_ns()
                    continue
                except asyncio.CancelledError:
                    link.kill()
                    raise
                await self._put(link)
                if outcome.error:
                    raise JobFailed(outcome.error, outcome.story)
                return outcome.value  # type: ignore[no-any-return]
        raise Refused("EMY-7007", name=function.__qualname__, attempts=ATTEMPTS)

    async def stop(self) -> None:
        """End all processes."""
        self._is_stopping = True
        if self._refill:
            self._refill.cancel()
            await asyncio.wait({self._refill})
        for link in tuple(self._links):
            link.kill()
        await self._end_zygote()
        await asyncio.sleep(0)

    async def _take(self) -> _Link:
        if self._reason or not self._links:
            self._fill()
        if not self._idle:
            await self._idle_are(1)
        return self._idle.popleft()

    async def _idle_are(self, number: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._reason or len(self._idle) >= number)
        if self._reason:
            raise Refused("EMY-7008", reason=self._reason)

    async def _put(self, link: _Link) -> None:
        if not link.is_gone:
            self._idle.append(link)
            async with self._changed:
                self._changed.notify_all()

    def _gone(self, link: _Link) -> None:
        self._links.discard(link)
        if link in self._idle:
            self._idle.remove(link)
        self.deaths += not link.is_dismissed
        # A fork now would take the processor from the spare that takes over the job.
        delay = _AFTER if self._idle else 0.0
        asyncio.get_running_loop().call_later(delay, self._fill)

    def _fill(self) -> None:
        """Have the missing workers made, in the background."""
        if self._is_stopping:
            return
        if not self._refill or self._refill.done():
            self._refill = asyncio.get_running_loop().create_task(self._make_missing())

    async def _make_missing(self) -> None:
        patience, failures, self._reason = Patience(), 0, ""
        while len(self._links) < self._most:
            await self._clock.sleep(patience.seconds(failures))
            try:
                await self._put(await self._made())
                failures = 0
            except ProcessLookupError:  # killed before it was known
                failures += 1
            except OSError as error:  # the zygote has gone; nothing forks without it
                failures += 1
                await self._end_zygote()
                if failures == patience.most:
                    await self._give_up(str(error))
                    break

    async def _give_up(self, reason: str) -> None:
        """Whoever waits for a worker is told; the next death or start tries again."""
        self._reason = reason
        async with self._changed:
            self._changed.notify_all()

    async def _made(self) -> _Link:
        """A worker, forked from the zygote."""
        if self._door is None:
            self._door = await self._begin_zygote()
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._door, [b"w"], [theirs.fileno()])
            answer = await loop.sock_recv(self._door, PID.size)
            if len(answer) < PID.size:
                raise ConnectionResetError(_ENDED)
            process = os.pidfd_open(PID.unpack(answer)[0])
        except OSError:
            ours.close()
            raise
        ours.setblocking(False)  # noqa: FBT003 - the socket's own signature
        link = _Link(process, self._gone)
        self._links.add(link)
        await loop.create_unix_connection(lambda: link, sock=ours)
        return link

    async def _begin_zygote(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 - the socket's own signature
        with theirs:
            arguments = (json.dumps(sys.path), str(theirs.fileno()), *self._preload)
            self._zygote = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _BOOT, *arguments,
                stdin=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(),),
            )  # fmt: skip
        if await asyncio.get_running_loop().sock_recv(ours, 1) != READY:
            ours.close()
            raise ConnectionResetError(_ENDED)
        return ours

    async def _end_zygote(self) -> None:
        if self._door:
            self._door.close()
            self._door = None
        if self._zygote:
            with suppress(ProcessLookupError):
                self._zygote.kill()
            await self._zygote.wait()
            self._zygote = None
