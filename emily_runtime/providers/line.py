"""One call over HTTP: bytes of a good answer as they arrive, or a failure with its reason."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from emily_runtime.nerves.clock import Clock
from emily_runtime.providers.failures import (
    Busy,
    Failed,
    Garbled,
    Late,
    NoEntry,
    Rejected,
    Unreachable,
)
from emily_runtime.providers.retrying import asked_wait
from emily_runtime.providers.site import Site
from emily_runtime.providers.timing import within

if TYPE_CHECKING:
    import httpx2

MOST_BYTES = 4 << 20
"""Of an answer."""
MOST_ERROR_BYTES = 16 << 10
CONNECT_SECONDS = 5.0
CONNECTIONS = 64


class Line:
    """Calls to one site; its connections are opened by the first call and kept."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site = site
        self._clock = clock
        self._client: asyncio.Task[httpx2.AsyncClient] | None = None

    async def post(
        self, path: str, headers: Mapping[str, str], body: dict[str, Any], wanted: str
    ) -> AsyncGenerator[bytes, None]:
        """The answer's bytes, where it is of the type WANTED; Failed.

        What went wrong below is told, and not chained: it holds the request, and so the key.
        """
        client = await self._opened()
        failure: Failed | None = None
        url = self._site.address.rstrip("/") + path
        content = msgspec.json.encode(body)
        request = client.build_request("POST", url, content=content, headers=_all(headers, wanted))
        try:
            async with aclosing(
                within(self._answered(client, request, wanted), self._site.seconds)
            ) as chunks:
                async for chunk in chunks:
                    yield chunk
        except TimeoutError:
            failure = Late(self._site.name, f"no whole answer in {self._site.seconds:g} s")
        except client_errors() as error:
            failure = self._unable(error)
        if failure is not None:
            raise failure

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await (await client).aclose()

    async def _answered(
        self, client: "httpx2.AsyncClient", request: "httpx2.Request", wanted: str
    ) -> AsyncGenerator[bytes, None]:
        response = await client.send(request, stream=True)
        async with aclosing(response):
            if response.status_code != 200:
                raise await self._refusal(response)
            self._check(response, wanted)
            size = 0
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size > MOST_BYTES:
                    raise Garbled(self._site.name, f"more than {MOST_BYTES:,} bytes")
                yield chunk

    def _check(self, response: "httpx2.Response", wanted: str) -> None:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != wanted:
            told = self._site.clean(kind) or "no type"
            raise Garbled(self._site.name, f"{told} instead of {wanted}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Garbled(self._site.name, "packed, though plain bytes were asked for")

    async def _refusal(self, response: "httpx2.Response") -> Failed:
        status, name = response.status_code, self._site.name
        if status in (401, 403):  # what it says here may hold parts of the key
            return NoEntry(name, f"HTTP {status}")
        said = await _said(response)
        reason = self._site.clean(f"HTTP {status}{': ' if said else ''}{said}")
        wait = asked_wait(response.headers, self._clock.wall())
        if status in (408, 502, 504):
            return Late(name, reason, wait)
        if status in (409, 425, 429) or status >= 500:
            return Busy(name, reason, wait)
        return Rejected(name, reason) if status >= 400 else Garbled(name, reason)

    def _unable(self, error: "httpx2.TransportError") -> Failed:
        import httpx2

        reason = self._site.clean(str(error) or type(error).__name__)
        before = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
        kind = Unreachable if isinstance(error, before) else Late
        return kind(self._site.name, reason)

    async def _opened(self) -> "httpx2.AsyncClient":
        # one task, shielded: whoever asks first may be cancelled while the others wait for it
        if self._client is None:
            self._client = asyncio.create_task(asyncio.to_thread(_client))
        return await asyncio.shield(self._client)


def _all(headers: Mapping[str, str], wanted: str) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "accept": wanted,
        "accept-encoding": "identity",  # a packed answer has no size until it is unpacked
        **headers,
    }


def _client() -> "httpx2.AsyncClient":
    # here, since a runtime that asks nobody does without its 17 MB; in a thread, since it takes
    # 55 ms, and the certificates as much again
    import httpx2

    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=CONNECTIONS),
        trust_env=False,
    )


def client_errors() -> type["httpx2.TransportError"]:
    """What the client raises about connections."""
    import httpx2

    return httpx2.TransportError


async def _said(response: "httpx2.Response") -> str:
    """The message of an error, where it is one of the usual kind."""
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MOST_ERROR_BYTES:
            break
    try:
        error = json.loads(body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
