"""The process: sockets, limits on size and time, and a life under systemd."""

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass, field, replace

from emily_runtime.api import Phase, State, answer
from emily_runtime.config import Config
from emily_runtime.messages import Refused, say
from emily_runtime.notify import Notifier
from emily_runtime.wire import MAX_HEAD, Malformed, Reply, Request, problem, receive


@dataclass(frozen=True)
class Limits:
    """How long, and how many."""

    request: float = 10.0
    """Seconds for a whole request to arrive, and for a reply to be taken."""
    connections: int = 256
    stop: float = 5.0
    """Seconds that open connections get when the service stops."""
    probe: float = 1.0
    """Seconds within which the service answers itself."""


@dataclass
class Service:
    """The listening service."""

    config: Config
    notifier: Notifier
    state: State
    limits: Limits = field(default_factory=Limits)
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        server = await self._listen()
        host, port = server.sockets[0].getsockname()[:2]
        bound = replace(self.config.service, host=host, port=port)
        address = replace(self.config, service=bound).address
        self.state = replace(self.state, phase=Phase.READY)
        self._tell("EMY-3001", "READY=1", address=address)
        watch = asyncio.create_task(self._watch(host, port))
        await stop.wait()
        watch.cancel()
        await self._drain(server)

    async def _listen(self) -> asyncio.Server:
        try:
            return await asyncio.start_server(
                self._accept,
                self.config.host,
                self.config.port,
                limit=MAX_HEAD,
                # A rush must wait in the queue and not in the callers' retries: the service's own
                # probe stands in it, too.
                backlog=4 * self.limits.connections,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise Refused("EMY-1006", address=self.config.address, reason=reason) from None

    async def _drain(self, server: asyncio.Server) -> None:
        """Take nobody new, let those inside finish their request, then close the rest."""
        self.state = replace(self.state, phase=Phase.STOPPING)
        self._tell("EMY-3002", "STOPPING=1", open=len(self._connections))
        server.close()
        if self._connections:
            await asyncio.wait(self._connections, timeout=self.limits.stop)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _tell(self, code: str, *lines: str, **values: object) -> None:
        status = say(code, self.config.language, **values).text
        self.notifier.tell(*lines, f"STATUS={status}")

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            if len(self._connections) <= self.limits.connections:
                await self._converse(reader, writer)
            elif len(self._connections) <= 2 * self.limits.connections:
                await self._turn_away(reader, writer)
        except OSError:  # gone, or too slow to take its reply
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()

    async def _turn_away(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limit = self.limits.connections
        await self._send(writer, problem(503, "EMY-2007", self.config.language, limit=limit), None)
        await self._linger(reader, writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(self.limits.request):
                    request = await receive(reader)
            except Malformed as fault:
                refusal = problem(fault.status, fault.code, self.config.language, **fault.values)
                await self._send(writer, refusal, None)
                return await self._linger(reader, writer)
            except TimeoutError:
                slow = problem(408, "EMY-2003", self.config.language, seconds=self.limits.request)
                return await self._send(writer, slow, None)
            if request is None:
                return None
            await self._send(writer, answer(request, self.state), request)
            if request.is_last or self.state.phase is Phase.STOPPING:
                return None

    async def _send(
        self, writer: asyncio.StreamWriter, reply: Reply, request: Request | None
    ) -> None:
        writer.write(reply.encoded(request))
        async with asyncio.timeout(self.limits.request):
            await writer.drain()

    async def _linger(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read on for a moment: closing over unread bytes would take the refusal away unread."""
        writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.probe):
                while await reader.read(MAX_HEAD):
                    pass

    async def _watch(self, host: str, port: int) -> None:
        """A sign of life to systemd, as often as it wants one, while the service answers itself."""
        if not self.notifier.watchdog:
            return
        while True:
            try:
                async with asyncio.timeout(self.limits.probe):
                    await _probe(_reachable(host), port)
            except OSError as error:
                reason = str(error) or type(error).__name__
                self._tell("EMY-3003", reason=reason)
            else:
                self.notifier.tell("WATCHDOG=1")
            await asyncio.sleep(self.notifier.watchdog / 3)


def _reachable(host: str) -> str:
    """A service on every address is found on loopback."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


async def _probe(host: str, port: int) -> None:
    """Ask as anybody would. Any reaction will do: a full house is alive."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"GET /health HTTP/1.1\r\nHost: self\r\nConnection: close\r\n\r\n")
        await writer.drain()
        await reader.read(1)
    except ConnectionResetError:
        return
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
