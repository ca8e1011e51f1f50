"""A server that speaks the protocols of language models, well or badly, byte by byte."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

KEY = "sk-a-secret-that-nobody-may-see"


@dataclass
class Request:
    """What was asked."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Server:
    """Its address, and all that it was asked."""

    port: int
    asked: list[Request] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Reply: TypeAlias = Callable[[asyncio.StreamWriter, Request], Awaitable[None]]


@asynccontextmanager
async def serving(*replies: Reply) -> AsyncIterator[Server]:
    """Each call gets the next reply, and the last one again and again."""
    waiting = list(replies)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read(reader)
        server.asked.append(request)
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        try:
            await reply(writer, request)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Request(first.split()[1], headers, json.loads(body))


def head(status: int, kind: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", "connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def says(
    status: int, body: bytes | dict[str, Any], *headers: str, kind: str = "application/json"
) -> Reply:
    """A whole answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def reply(writer: asyncio.StreamWriter, _: Request) -> None:
        writer.write(head(status, kind, f"content-length: {len(data)}", *headers) + data)

    return reply


def streams(*pieces: bytes | float, kind: str = "text/event-stream") -> Reply:
    """Pieces as they are, and seconds between them; then the connection ends."""

    async def reply(writer: asyncio.StreamWriter, _: Request) -> None:
        writer.write(head(200, kind))
        for piece in pieces:
            if isinstance(piece, bytes):
                writer.write(piece)
                await writer.drain()
            else:
                await asyncio.sleep(piece)

    return reply


def chunked(*pieces: bytes) -> Reply:
    """An answer in chunks that stops without the last one."""

    async def reply(writer: asyncio.StreamWriter, _: Request) -> None:
        writer.write(head(200, "text/event-stream", "transfer-encoding: chunked"))
        for piece in pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    return reply


def resets(*pieces: bytes) -> Reply:
    """Some bytes, and then a reset instead of an end."""

    async def reply(writer: asyncio.StreamWriter, _: Request) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return reply


def event(data: dict[str, Any] | str, name: str = "") -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()
