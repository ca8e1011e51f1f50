"""Why a snapshot is taken; light, because the command line needs it before it runs anything."""

from enum import StrEnum


class Occasion(StrEnum):
    """Why a snapshot is taken; it is written on it."""

    POLICY = "policy"
    """What is due."""
    APPLY = "apply"
    """Everything, now, before the host changes; nothing waits for it or goes for it."""
