"""Where things are on the machine, so that a rehearsal can have another root."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A machine by its root folder."""

    root: Path = Path("/")

    def at(self, path: str) -> Path:
        """A path of the machine."""
        return self.root / path.lstrip("/")

    @property
    def lists(self) -> Path:
        """Where intentions outlive an interrupted run."""
        return self.at("/run/nixos")

    @property
    def current(self) -> Path:
        """The toplevel that was activated last."""
        return self.at("/run/current-system")

    @property
    def profile(self) -> Path:
        """The link that names the newest generation."""
        return self.at("/nix/var/nix/profiles/system")

    @property
    def units(self) -> Path:
        """The unit files that are in effect."""
        return self.at("/etc/systemd/system")

    @property
    def vendor(self) -> Path:
        """The unit files that the distribution brings."""
        return self.at("/usr/lib/systemd/system")


def say(line: str) -> None:
    """A line for whoever looks on; nobody there is no reason to stop half way."""
    try:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:
        return
