"""A disk that can be seen: the light of its bay, or its own."""

import shlex
from importlib.resources import files

from emily_infra.machine import Machine

ENCLOSURES = "/sys/class/enclosure"
_GRACE = 20.0


def locate(machine: Machine, device: str, seconds: int, enclosures: str = ENCLOSURES) -> str:
    """Light it for so long; returns by what means, once the light is out again."""
    given = {"device": device, "seconds": str(seconds), "enclosures": enclosures}
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in given.items())
    script = head + files("emily_infra.storage").joinpath("locate.sh").read_text("utf-8")
    word, _, detail = machine.run("sh", stdin=script, deadline=seconds + _GRACE).partition(" ")
    match word.strip():
        case "enclosure":
            return f"the locate light of {detail.strip()} in its enclosure"
        case "ledctl":
            return "the locate light of its bay (ledctl)"
        case _:
            return "its own activity light, on and off by the second, by reading from it"
