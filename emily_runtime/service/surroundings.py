"""What systemd has prepared for the process, read out of its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emily_runtime.service.sockets import Given, given


@dataclass(frozen=True)
class Surroundings:
    """Sockets and folders; outside of systemd there are none."""

    sockets: Given
    control: Path | None
    """Where the instance's own socket is to be."""
    state: Path
    """What outlives a run."""

    @property
    def active(self) -> Path:
        """The file that names the colour whose turn it is."""
        return self.state / "active"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Surroundings":
        """Of two folders the first, as systemd lists them."""
        own = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
        state = environment.get("STATE_DIRECTORY", "").partition(":")[0]
        return cls(
            given(environment),
            Path(own, "control.sock") if own else None,
            Path(state or "."),
        )
