"""What a deploy of the runtime writes down before it does it, so that another one can go on."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict

from emily_infra.runtime.places import Colour
from emily_infra.runtime.standing import Figures, State


class Phase(StrEnum):
    """How far it has got."""

    STARTING = "starting the new version"
    CHECKING = "checking it"
    MOVING = "moving the callers"
    WATCHING = "watching"
    GOING_BACK = "going back"
    DONE = "done"


class Verdict(StrEnum):
    """How it ended."""

    OPEN = "open"
    KEPT = "kept"
    UNCHANGED = "unchanged"
    FAILED = "not moved"
    REFUSED = "refused"
    WENT_BACK = "went back"
    LOST = "lost"


class Event(BaseModel):
    """A line of the story; seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    at: float
    text: str


class Record(BaseModel):
    """One deploy."""

    model_config = ConfigDict(frozen=True)

    order: str = ""
    """Whose doing it is."""
    old: Colour
    """Who took before."""
    new: Colour
    begun: float
    phase: Phase = Phase.STARTING
    window: float
    """Seconds for which the new version is watched and the old one kept."""
    until: float | None = None
    """When it has been watched long enough, in seconds since the epoch."""
    before: Figures = Figures()
    moved: State | None = None
    """The new colour at the moment it took."""
    verdict: Verdict = Verdict.OPEN
    why: str = ""
    hint: str = ""
    events: tuple[Event, ...] = ()

    @property
    def has_moved(self) -> bool:
        """Whether callers may have come to the new version."""
        return self.phase in (Phase.MOVING, Phase.WATCHING, Phase.GOING_BACK)

    def with_(self, **changes: object) -> Self:
        """The record with something changed."""
        return self.model_copy(update=changes)
