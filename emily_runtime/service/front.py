"""What every request passes before it is served: the token, the rate, and whether there is room."""

import hmac
import math
import time
from typing import Any, NamedTuple

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emily_runtime.messages import Language
from emily_runtime.mind.relief import REFUSES
from emily_runtime.service.metering import Gauges
from emily_runtime.service.problems import LATER, Refusal, headers_of, language_of
from emily_runtime.service.rates import Buckets
from emily_runtime.service.standing import Phase, Standing

OPEN = frozenset({"/", "/health", "/ready"})
"""What anybody may see; the page asks for the token itself."""
WORK = "/api/"
SUBPROTOCOL = "emily.v1"
BEARER = "emily.bearer."
"""A browser cannot send headers with a WebSocket: the token comes as a subprotocol, in hex."""
GUESSES = (1.0, 20.0)
"""Wrong tokens of one address: so many a second, and so many at once."""
REFLEXIVE = "/api/v1/stimulus"
"""Whether a reflex answers a stimulus is not for the door to know; the mind turns away the rest."""


class Caller(NamedTuple):
    """Who asks, as far as the headers say."""

    given: str
    language: Language
    is_forwarded: bool


def caller(scope: Scope, otherwise: Language) -> Caller:
    """One pass over the headers."""
    given, language, is_forwarded = "", otherwise, False
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, rest = value.decode("latin-1").partition(" ")
            given = rest.strip() if scheme.lower() == "bearer" else ""
        elif name == b"accept-language":
            language = language_of(value.decode("latin-1"), otherwise)
        elif name in (b"forwarded", b"x-forwarded-for"):
            is_forwarded = True
    for word in scope.get("subprotocols", ()):
        if not given and word.startswith(BEARER):
            given = _from_hex(word.removeprefix(BEARER))
    return Caller(given, language, is_forwarded)


def _from_hex(text: str) -> str:
    try:
        return bytes.fromhex(text).decode()
    except ValueError:
        return ""


async def respond(scope: Scope, send: Send, refusal: Refusal, language: Language) -> None:
    """Send a refusal, for HTTP or instead of a WebSocket."""
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    body = msgspec.json.encode(refusal.told(language))
    headers = headers_of(refusal, language) | {"content-length": str(len(body))}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": f"{kind}.start", "status": refusal.status, "headers": raw})
    await send({"type": f"{kind}.body", "body": body})


class Front:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, standing: Standing, gauges: Gauges) -> None:
        self.app = app
        self.standing = standing
        self.gauges = gauges
        self.guesses = Buckets(*GUESSES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse, and count."""
        who = caller(scope, self.standing.language)
        scope["state"]["language"] = who.language
        refusal = self._refusal(scope, who)
        if scope["type"] == "http":
            await self._count(scope, receive, send, refusal)
        elif refusal:
            await respond(scope, send, refusal, who.language)
        else:
            await self.app(scope, receive, send)

    async def _count(
        self, scope: Scope, receive: Receive, send: Send, refusal: Refusal | None
    ) -> None:
        begun, status, standing = time.perf_counter(), 500, self.standing

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        standing.at_once += 1
        try:
            if refusal:
                if refusal.status == 503:
                    self.gauges.shed(refusal.code)
                await whole(receive)
                await respond(scope, tell, refusal, scope["state"]["language"])
            else:
                await self.app(scope, receive, tell)
        finally:
            standing.at_once -= 1
            seconds = time.perf_counter() - begun
            self.gauges.request(scope["path"], status, seconds)
            if scope["state"]["door"] != "own":
                standing.tally.count(status, seconds)

    def _refusal(self, scope: Scope, who: Caller) -> Refusal | None:
        path = scope["path"]
        if scope["http_version"] not in ("1.0", "1.1"):  # h11 takes any
            return Refusal(400, "EMY-2001", reason="its version")
        if scope["state"]["door"] == "own":  # its file lets in nobody but its user and root
            return None
        if path in OPEN or (path == "/metrics" and is_local(scope, who)):
            return None
        if not hmac.compare_digest(who.given.encode(), self.standing.token.encode()):
            return self._stranger(scope)
        wait = self.standing.buckets.take("token", time.monotonic())
        if wait:
            rate = f"{self.standing.limits.rate:g}"
            return Refusal(429, "EMY-2010", rate=rate).later(math.ceil(wait))
        return self._no_room(scope) if path.startswith(WORK) else None

    def _stranger(self, scope: Scope) -> Refusal:
        """Guessing becomes slow, for one address at a time."""
        client = scope.get("client")
        wait = self.guesses.take(client[0] if client else "", time.monotonic())
        if wait:
            return Refusal(429, "EMY-2011").later(math.ceil(wait))
        refusal = Refusal(401, "EMY-2004")
        refusal.headers["www-authenticate"] = "Bearer"
        return refusal

    def _no_room(self, scope: Scope) -> Refusal | None:
        standing = self.standing
        if standing.phase is not Phase.READY:
            return Refusal(503, "EMY-2012", phase=standing.phase.value).later(1)
        if standing.at_once >= standing.limits.at_once:
            return Refusal(503, "EMY-2013", limit=standing.limits.at_once).later(1)
        if standing.lasting > standing.limits.late:
            return Refusal(503, "EMY-2014", lag=f"{standing.lasting:.1f}").later(1)
        is_work = scope["method"] == "POST" and scope["path"] != REFLEXIVE
        if is_work and standing.pressure >= REFUSES:
            return Refusal(503, "EMY-2015", step=standing.pressure).later(LATER["EMY-2015"])
        return None


def is_local(scope: Scope, who: Caller) -> bool:
    """Whether somebody on this machine asks, and nobody through them."""
    client, server = scope.get("client"), scope.get("server")
    if client is None or who.is_forwarded:
        return False
    return client[0].startswith("127.") or client[0] in ("::1", server[0] if server else "::1")


async def whole(receive: Receive) -> None:
    """Let the body pass: a reply that overtakes it could be lost with the connection."""
    more: Any = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
