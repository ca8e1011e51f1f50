"""The application: places behind the front, and what is said where something goes wrong."""

import logging
from collections.abc import Sequence
from secrets import token_hex
from typing import NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ExceptionHandler

from emily_runtime import __version__
from emily_runtime.service.endpoints import Endpoint, Place
from emily_runtime.service.front import Front
from emily_runtime.service.metering import Gauges
from emily_runtime.service.problems import Refusal, headers_of
from emily_runtime.service.standing import Phase, Standing
from emily_runtime.service.structs import Health, Ready

LOG = logging.getLogger("emily_runtime.service")


def probes(standing: Standing) -> list[Place]:
    """What anybody may ask: is it alive, and is it ready."""

    def health() -> tuple[int, Health]:
        reason = standing.complaint()
        if reason:
            return 503, Health("unhealthy", __version__, reason)
        return 200, Health("healthy", __version__)

    def ready() -> tuple[int, Ready]:
        return 200 if standing.phase is Phase.READY else 503, Ready(standing.phase.value)

    return [
        Place("GET", "/health", "Whether the service works.", Health, health),
        Place("GET", "/ready", "Whether the service takes work.", Ready, ready),
    ]


class Parts(NamedTuple):
    """What an application is made of."""

    standing: Standing
    gauges: Gauges
    places: Sequence[Place]
    more: Sequence[BaseRoute] = ()
    """What is no place: the page and the WebSocket."""


def application(parts: Parts) -> Starlette:
    """All places behind the front."""
    seconds = parts.standing.limits.answer
    routes = [
        Route(place.path, Endpoint(place, seconds), methods=[place.method])
        for place in parts.places
    ]

    def refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refusal)
        if refusal.status == 503:
            parts.gauges.shed(refusal.code)
        return _reply(request, refusal)

    handlers: dict[type[Exception], ExceptionHandler] = {
        Refusal: refused,
        HTTPException: _lost,
        Exception: _broken,
    }
    app = Starlette(
        routes=[*routes, *parts.more],
        middleware=[Middleware(Front, standing=parts.standing, gauges=parts.gauges)],
        exception_handlers=handlers,
    )
    app.router.redirect_slashes = False
    return app


def _reply(request: Request, refusal: Refusal) -> Response:
    language = request.scope["state"]["language"]
    body = msgspec.json.encode(refusal.told(language))
    return Response(body, refusal.status, dict(headers_of(refusal, language)))


def _lost(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code != 405:
        return _reply(request, Refusal(404, "EMY-2005", path=path))
    # Starlette joins a set, in another order in every process.
    allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
    refusal = Refusal(405, "EMY-2006", path=path, allowed=allowed)
    refusal.headers["allow"] = allowed
    return _reply(request, refusal)


def _broken(request: Request, error: Exception) -> Response:
    trace = token_hex(8)
    LOG.error("%s %s failed (%s)", request.method, request.url.path, trace, exc_info=error)
    return _reply(request, Refusal(500, "EMY-2018", trace=trace))
