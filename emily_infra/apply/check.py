"""What a check is: something about the running host that can be asked again and again."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from emily_infra.findings import Location, Path


class Weight(StrEnum):
    """What a failure leads to."""

    CRITICAL = "critical"
    WARNING = "warning"


class Blame(Enum):
    """Whether a failure counts against a deploy, seen what was so before it."""

    ALWAYS = "whatever was before"
    CHANGED = "unless it failed before in the same words"
    REGRESSION = "only where it passed before; else it is a warning"


@dataclass(frozen=True)
class Unit:
    """A unit that must be active; a timer must have a next time."""

    name: str


@dataclass(frozen=True)
class Shell:
    """A piece of POSIX sh with the words of health.sh; it succeeds, or says why not."""

    script: str
    limit: float = 10.0
    """Seconds that one try may take."""
    unit: str = ""
    """Left out where systemd does not know this unit."""


@dataclass(frozen=True)
class Check:
    """Something that must hold twice in a row before its deadline; times in seconds."""

    name: str
    place: Path
    location: Location
    probe: Unit | Shell
    grace: float = 0.0
    interval: float = 2.0
    deadline: float = 60.0
    weight: Weight = Weight.CRITICAL
    blame: Blame = Blame.CHANGED

    @property
    def settle(self) -> float:
        """How long it must hold: a service that falls over does so soon after its start."""
        return 10.0 if isinstance(self.probe, Unit) and self.name.endswith(".service") else 0.0
