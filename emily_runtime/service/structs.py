"""What goes in and out, each as one type: requests, replies and the OpenAPI document come of it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from emily_runtime.mind.planning import Planner, Tables
from emily_runtime.service.standing import Colour

Text = Annotated[str, Meta(max_length=65_536)]
Name = Annotated[str, Meta(max_length=200)]


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


class StimulusIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happened outside: a text, or signals, or both."""

    text: Text = ""
    signals: Annotated[list[float], Meta(max_length=1024)] = []
    """Strengths of its parts; their sum below zero means harm."""
    intensity: Annotated[float, Meta(ge=0)] | None = None
    """The strongest signal where none is given."""
    source: Name = ""
    """Who is remembered for having spoken."""
    identity: Name = ""
    """On whose behalf; of today's flags, none concerns a stimulus."""


class AttentionIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signals for the gate."""

    signals: Annotated[list[float], Meta(max_length=4096)]
    at: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    """Seconds since the runtime began; now where it is left out."""


class FacetIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One aspect of a hypothesis, and its possible values."""

    name: Name
    values: Annotated[list[Name], Meta(min_length=1, max_length=1024)]
    weights: Annotated[list[Annotated[float, Meta(ge=-700, le=700)]], Meta(max_length=1024)] = []
    """Their ln rewards; 0 for each where they are left out."""


class CouplingIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What values of two facets are worth together, beside what each is worth alone."""

    one: Name
    other: Name
    weights: list[list[Annotated[float, Meta(ge=-700, le=700)]]]
    """ln, a row for each value of the first."""


class GenerateIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hypotheses are drawn in proportion to the product of their values' rewards.

    Above 262,144 partial ones a sampler is trained for it, which takes seconds.
    """

    facets: Annotated[list[FacetIn], Meta(min_length=1, max_length=16)]
    count: Annotated[int, Meta(ge=1, le=10_000)] = 100
    distinct: bool = True
    temperature: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    """The same one gives the same hypotheses."""
    couplings: Annotated[list[CouplingIn], Meta(max_length=32)] = []
    trained: bool = False
    """Train a sampler even where the exact flow is to be had, to see how far it is off."""


class PlanIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question to the planner."""

    model: Tables | None = None
    """The runtime's own where it is left out."""
    horizon: Annotated[int, Meta(ge=1, le=16)] = 2
    planner: Planner | None = None
    """The tree where the flag tree-planner is on for the identity, otherwise all policies."""
    precision: Annotated[float, Meta(gt=0, le=1000)] = 4.0
    identity: Name = ""
    """On whose behalf: what flags are asked about."""


class MemoryIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An episode to keep."""

    text: Annotated[str, Meta(min_length=1, max_length=65_536)]
    source: Name = ""


class SearchIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By words, by a vector, or by both."""

    text: Text = ""
    vector: Annotated[list[float], Meta(max_length=256)] = []
    """256 numbers, or none."""
    most: Annotated[int, Meta(ge=1, le=100)] = 10
