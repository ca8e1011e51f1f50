"""How far a copy or a restore is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Going:
    """What is done of what there is to do, as far as that is known yet."""

    bytes: int = 0
    of_bytes: int = 0
    files: int = 0
    of_files: int = 0
    now: str = ""
    """The file that is read."""


Progress = Callable[[Going], None]
"""Whoever wants to hear of it."""


def silent(_: Going) -> None:
    """For who does not want to hear."""
