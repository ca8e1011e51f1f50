"""What the service knows about itself, in one place."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from emily_runtime.messages import Language
from emily_runtime.service.limits import Limits
from emily_runtime.service.metering import Tally
from emily_runtime.service.rates import Buckets

Colour = Literal["alone", "blue", "green"]


class Phase(Enum):
    """Where the service is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


def _well() -> str | None:
    return None


@dataclass
class Standing:
    """One instance, as it stands now."""

    token: str
    language: Language
    limits: Limits
    tally: Tally
    colour: Colour = "alone"
    phase: Phase = Phase.STARTING
    is_taking: bool = False
    """Whether it accepts on the shared socket."""
    lag: float = 0.0
    """Seconds that the loop came late, at the last look."""
    lasting: float = 0.0
    """Seconds that it came late at both of the last two looks: a single stall is over when it is
    seen, and whoever comes after it need not be sent away."""
    at_once: int = 0
    """Requests that are being worked on."""
    ill: Callable[[], str | None] = _well
    """Why the mind behind it is not healthy."""
    stuck: Callable[[], str | None] = _well
    """Why it will not be, either, before it is started again."""
    pressure: int = 0
    """The step of the memory-pressure ladder; 0 is none."""
    instance: str = ""
    """Whose sequence numbers these are: another one after each start."""

    def __post_init__(self) -> None:
        self.buckets = Buckets(self.limits.rate, self.limits.burst)

    def limit(self, limits: Limits) -> None:
        """Other limits from here on; nobody gets back what was used up."""
        self.limits = limits
        self.buckets.rate, self.buckets.burst = limits.rate, limits.burst

    def looked(self, lag: float) -> None:
        """Take down how late the loop came at this look."""
        self.lasting, self.lag = min(self.lag, lag), lag

    def complaint(self) -> str | None:
        """Why it is not healthy; nothing where it is."""
        if self.lag >= self.limits.probe:
            return f"the loop lags {self.lag:.1f} s behind"
        return self.ill()
