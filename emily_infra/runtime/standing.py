"""How a colour is, as it says itself; and whether one is worse than the other was."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from emily_infra.runtime.places import Colour

READY = "ready"


class State(BaseModel):
    """The answer to GET /control/state; what a newer runtime says beside it is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    colour: Colour
    version: str
    phase: str
    taking: bool
    open: int = 0
    """Connections that came in by the shared port."""
    requests: int = 0
    errors: int = 0
    """Replies of 500 and above."""
    p95_ms: float = 0.0
    """95 of 100 of the last replies took less."""


class Figures(BaseModel):
    """What is compared: a share, and milliseconds."""

    model_config = ConfigDict(frozen=True)

    error_rate: float = 0.0
    p95_ms: float = 0.0


class Limits(NamedTuple):
    """What counts as worse; a share of errors, and milliseconds."""

    error_rate: float = 0.01
    p95_ms: float = 100.0
    """The promise of the service, whatever was before."""
    times: float = 2.0
    """How much more than before either may be."""
    enough: int = 20
    """Requests from which on a share says something."""


def figures(state: State | None) -> Figures:
    """Of a colour that has taken so far; one that does not answer promises nothing."""
    if state is None or not state.requests:
        return Figures()
    return Figures(error_rate=state.errors / state.requests, p95_ms=state.p95_ms)


def since(then: State, now: State) -> State:
    """The counts since a moment; a colour that was restarted begins at nothing again."""
    if now.requests < then.requests:
        return now
    counts = {"requests": now.requests - then.requests, "errors": now.errors - then.errors}
    return now.model_copy(update=counts)


def worse(before: Figures, now: State, limits: Limits) -> str:
    """Why the new colour is worse than the old one was; nothing where it is not."""
    if now.requests < limits.enough:
        return ""
    rate = now.errors / now.requests
    most = max(limits.error_rate, limits.times * before.error_rate)
    if rate > most:
        return (
            f"{now.errors} of {now.requests} requests failed ({rate:.1%}); "
            f"{most:.1%} is the most, {before.error_rate:.1%} it was before"
        )
    slowest = max(limits.p95_ms, limits.times * before.p95_ms)
    if now.p95_ms > slowest:
        return (
            f"95 of 100 requests took up to {now.p95_ms:.0f} ms; "
            f"{slowest:.0f} ms is the most, {before.p95_ms:.0f} ms it was before"
        )
    return ""
