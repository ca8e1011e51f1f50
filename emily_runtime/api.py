"""What the service answers. Pure: a request and the state in, a reply out."""

import hmac
from dataclasses import dataclass
from enum import Enum

from emily_runtime import __version__
from emily_runtime.messages import Language
from emily_runtime.wire import Reply, Request, problem


class Phase(Enum):
    """Where the service is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


@dataclass(frozen=True)
class State:
    """What an answer may depend on."""

    phase: Phase
    language: Language
    token: str


def answer(request: Request, state: State) -> Reply:
    """The reply to a request."""
    if request.path in ("/health", "/ready"):
        return _probe(request, state)
    if not _admitted(request, state.token):
        refusal = problem(401, "EMY-2004", state.language)
        return Reply(401, refusal.content, {**refusal.headers, "WWW-Authenticate": "Bearer"})
    return problem(404, "EMY-2005", state.language, path=request.path)


def _probe(request: Request, state: State) -> Reply:
    if request.method not in ("GET", "HEAD"):
        refusal = problem(405, "EMY-2006", state.language, path=request.path, allowed="GET")
        return Reply(405, refusal.content, {**refusal.headers, "Allow": "GET, HEAD"})
    if request.path == "/health":
        return Reply(200, {"status": "healthy", "version": __version__})
    status = 200 if state.phase is Phase.READY else 503
    return Reply(status, {"status": state.phase.value})


def _admitted(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode("utf-8"), token.encode("utf-8"))
    return scheme.lower() == "bearer" and same
