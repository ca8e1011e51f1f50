"""How much, how many and how long."""

from dataclasses import dataclass

MAX_HEAD = 16 * 1024
MAX_BODY = 1024 * 1024
MAX_WORD = 64 * 1024
"""Bytes of one message that a WebSocket may send us."""


@dataclass(frozen=True)
class Limits:
    """What callers may take of the service."""

    arrive: float = 10.0
    """Seconds for a whole request to arrive, and for a reply to be taken."""
    idle: float = 15.0
    """Seconds that a connection may rest between two requests."""
    answer: float = 60.0
    """Seconds for an answer to be found."""
    connections: int = 256
    at_once: int = 64
    """Requests that are worked on at a time; more are sent away."""
    rate: float = 1000.0
    """Requests a second of one principal."""
    burst: float = 2000.0
    """Requests that a principal may have saved up."""
    stop: float = 5.0
    """Seconds that open connections get when the service stops."""
    late: float = 0.5
    """Seconds that the loop may lag behind, twice in a row, before new work is sent away."""
    probe: float = 1.0
    """Seconds within which the service answers itself, and that its loop may lag behind."""
