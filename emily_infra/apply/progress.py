"""What a deploy tells about itself while it goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The parts of a deploy, as a person follows them."""

    LOCK = "lock"
    COPY = "copy"
    BASELINE = "look at its health before"
    STEPS = "prepare storage"
    ARM = "arm the way back"
    ACTIVATE = "activate"
    REBOOT = "reboot"
    VERIFY = "verify over a new connection"
    COMMIT = "commit"
    ROLL_BACK = "go back"


@dataclass(frozen=True)
class Began:
    """A phase begins."""

    host: str
    phase: Phase


@dataclass(frozen=True)
class Finished:
    """A phase is over."""

    host: str
    phase: Phase
    seconds: float


@dataclass(frozen=True)
class Said:
    """A line of what goes on inside a phase: a copied path, the journal, a check."""

    host: str
    text: str


Event = Began | Finished | Said


Progress = Callable[[Event], None]
"""Whoever wants to hear of it; called from several threads when there are several hosts."""


def silent(_: Event) -> None:
    """For who does not want to hear."""
