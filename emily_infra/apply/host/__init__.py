"""The program that runs on the host, put together from its parts."""

from importlib.resources import files

_PARTS = ("record", "machine", "switch", "forward", "reboot", "back", "settle", "ask")


def program() -> str:
    """POSIX sh, one file; `ask.sh` at its end runs what was asked."""
    folder = files(__package__)
    return "".join((folder / f"{part}.sh").read_text("utf-8") for part in _PARTS)
