"""bootctl, of which deploys need one word: what systemd-boot is to boot once."""

from . import loader
from .place import Place, say


def main(arguments: list[str]) -> int:
    """The whole program; its exit status."""
    return run(arguments, Place())


def run(arguments: list[str], place: Place) -> int:
    """The same on any machine."""
    match arguments:
        case ["set-oneshot", entry]:
            loader.offer_once(entry, place)
            return 0
    say("bootctl: the lab knows only: set-oneshot ENTRY")
    return 1
