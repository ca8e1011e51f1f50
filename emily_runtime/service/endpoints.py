"""From bytes to an answer and back: one place of the API."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
from starlette.types import Receive, Scope, Send

from emily_runtime.messages import Refused
from emily_runtime.service.problems import LATER, Refusal
from emily_runtime.tiers.refusals import Refusal as Incomputable

JSON = b"application/json"
UNFIT = {"EMY-4010": 422}
"""What the caller has to change; anything else that is Refused may be well in a moment."""


class Place(NamedTuple):
    """One thing that can be asked for."""

    method: str
    path: str
    summary: str
    gives: Any
    answer: Callable[..., Any]
    """Called with what the body says, where it takes a body; may be a coroutine function."""
    takes: Any = None
    media: bytes = JSON


class Endpoint:
    """A place, as an ASGI application."""

    def __init__(self, place: Place, seconds: float) -> None:
        self.place = place
        self.seconds = seconds
        self.encoder = msgspec.json.Encoder()
        self.decoder = msgspec.json.Decoder(place.takes) if place.takes else None
        self.is_slow = inspect.iscoroutinefunction(place.answer)

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Read, answer, reply."""
        body = await _body(receive)
        given = (self._decoded(body),) if self.decoder else ()
        found = await self._answered(given)
        status, content = found if isinstance(found, tuple) else (200, found)
        reply = content if isinstance(content, bytes) else self.encoder.encode(content)
        length = str(len(reply)).encode()
        headers = [(b"content-type", self.place.media), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

    def _decoded(self, body: bytes) -> Any:
        assert self.decoder
        try:
            return self.decoder.decode(body)
        except msgspec.ValidationError as error:
            raise Refusal(422, "EMY-2008", reason=error) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refusal(400, "EMY-2009", reason=error) from None
        except RecursionError:
            raise Refusal(400, "EMY-2009", reason="it is nested too deeply") from None

    async def _answered(self, given: tuple[Any, ...]) -> Any:
        try:
            if not self.is_slow:
                return self.place.answer(*given)
            working: Awaitable[Any] = self.place.answer(*given)
            async with asyncio.timeout(self.seconds):
                return await working
        except TimeoutError:
            raise Refusal(504, "EMY-2016", seconds=f"{self.seconds:g}") from None
        except Incomputable as error:
            raise Refusal(422, "EMY-2017", reason=error) from None
        except Refused as refused:
            status = UNFIT.get(refused.code, 503)
            seconds = LATER.get(refused.code, 1)
            raise Refusal(status, refused.code, **refused.values).later(seconds) from None


async def _body(receive: Receive) -> bytes:
    message = await receive()
    if not message.get("more_body", False):
        return bytes(message.get("body", b""))
    parts = [message["body"]]
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)
