"""What goes in and out, each as one type: requests, replies and the OpenAPI document come of it."""

from typing import Literal

import msgspec

from emily_runtime.service.standing import Colour


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether the service works."""

    status: Literal["healthy", "unhealthy"]
    version: str
    reason: str | None = None


class Ready(msgspec.Struct, frozen=True):
    """Where the service is in its life."""

    status: Literal["starting", "ready", "stopping"]


class ControlState(msgspec.Struct, frozen=True):
    """One instance, for whoever switches between two."""

    colour: Colour
    version: str
    phase: str
    taking: bool
    open: int
    """Connections by the shared socket."""
    requests: int
    errors: int
    """Replies of 500 and above."""
    p95_ms: float
    since: float
    """Seconds since the epoch: when the counting began, which is when it last took over."""
