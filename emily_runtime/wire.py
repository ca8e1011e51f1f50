"""HTTP/1.1 as far as it is needed: a request from bytes, a reply to bytes (RFC 9112)."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from emily_runtime.messages import Language, say

MAX_HEAD = 16 * 1024
MAX_BODY = 1024 * 1024
_LINE = re.compile(rb"([A-Z]{1,16}) (/[!-~]{0,4095}) HTTP/1\.([01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")


@dataclass(frozen=True)
class Request:
    """A whole request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    is_last: bool = False
    """Whether the connection ends with it."""


@dataclass(frozen=True)
class Reply:
    """What goes back."""

    status: int
    content: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self, request: Request | None) -> bytes:
        """The bytes on the wire; without a request to keep going with, the connection closes."""
        kind = "application/json" if self.status < 400 else "application/problem+json"
        body = json.dumps(self.content, ensure_ascii=False).encode()
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Connection": "close" if request is None or request.is_last else "keep-alive",
        } | dict(self.headers)
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head if request and request.method == "HEAD" else head + body


def problem(status: int, code: str, language: Language, **values: object) -> Reply:
    """A refusal as RFC 9457 has it, with the code of its message."""
    message = say(code, language, **values)
    title = HTTPStatus(status).phrase
    content = {"title": title, "status": status, "code": code, "detail": message.text}
    return Reply(status, content | {"action": message.action}, {"Content-Language": language})


class Malformed(Exception):
    """Bytes that are no request of ours; the connection cannot go on."""

    def __init__(self, status: int, code: str, **values: object) -> None:
        super().__init__(code)
        self.status, self.code, self.values = status, code, values


async def receive(reader: asyncio.StreamReader) -> Request | None:
    """The next request, or nothing where the other side has closed between two."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise Malformed(400, "EMY-2001", reason="it ends in the middle") from None
    except asyncio.LimitOverrunError:
        raise Malformed(431, "EMY-2002", limit=MAX_HEAD) from None
    request = parse(head)
    length = _length(request)
    try:
        body = await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        raise Malformed(400, "EMY-2001", reason="it ends in the middle") from None
    return Request(request.method, request.path, request.headers, body, request.is_last)


def parse(head: bytes) -> Request:
    """Request line and headers; whatever two readers could understand differently is refused."""
    first, *rest = head[:-4].split(b"\r\n")
    line = _LINE.fullmatch(first)
    if not line:
        raise Malformed(400, "EMY-2001", reason="the first line")
    headers: dict[str, str] = {}
    for raw in rest:
        found = _HEADER.fullmatch(raw)
        name = found[1].decode().lower() if found else ""
        if not found or name in headers:
            raise Malformed(400, "EMY-2001", reason="a header")
        headers[name] = found[2].decode("latin-1")
    is_last = line[3] == b"0" or headers.get("connection", "").lower() == "close"
    path = line[2].decode().partition("?")[0]
    return Request(line[1].decode(), path, headers, is_last=is_last)


def _length(request: Request) -> int:
    if "transfer-encoding" in request.headers:
        raise Malformed(411, "EMY-2001", reason="a body needs Content-Length")
    text = request.headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Malformed(400, "EMY-2001", reason="Content-Length")
    if int(text) > MAX_BODY:
        raise Malformed(413, "EMY-2002", limit=MAX_BODY)
    return int(text)
