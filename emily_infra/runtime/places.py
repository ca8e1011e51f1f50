"""The two colours, and where on a host what belongs to them is; modules/runtime.nix.j2 makes it."""

from dataclasses import dataclass
from enum import StrEnum


class Colour(StrEnum):
    """One of the two instances."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> "Colour":
        """The one that takes when this one does not."""
        return Colour.GREEN if self is Colour.BLUE else Colour.BLUE

    @property
    def unit(self) -> str:
        """Its service."""
        return f"emily-runtime@{self}.service"


@dataclass(frozen=True)
class Places:
    """Files and folders of the runtime on a host."""

    state: str = "/var/lib/emily-runtime"
    """What the runtime remembers; both colours share it."""
    colours: str = "/var/lib/emily-colours"
    """The settings that each colour was started with, and the record of deploys."""
    sockets: str = "/run/emily-runtime"
    roots: str = "/nix/var/nix/gcroots/emily"
    program: str = "/etc/emily/runtime"
    """The version that the system brings."""
    settings: str = "/etc/emily/runtime.toml"

    @property
    def active(self) -> str:
        """The file that names the colour which took last."""
        return f"{self.state}/active"

    @property
    def record(self) -> str:
        """What the last deploy did, or the present one does."""
        return f"{self.colours}/deploy.json"

    @property
    def order(self) -> str:
        """What the host is to do next."""
        return f"{self.colours}/order.json"

    def control(self, colour: Colour) -> str:
        """The control socket of a colour."""
        return f"{self.sockets}/{colour}/control.sock"

    def pinned(self, colour: Colour) -> str:
        """The link to the program of a colour, which keeps it from being collected."""
        return f"{self.roots}/runtime-{colour}"

    def pinned_settings(self, colour: Colour) -> str:
        """The settings that a colour was started with."""
        return f"{self.colours}/{colour}.toml"
