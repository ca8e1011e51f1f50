"""How fast data comes back, as drills measure it; pure."""

GB = 1_000_000_000
_ENOUGH = 10_000_000
"""Bytes, below which the start of restic is all that a rate would measure."""


def seconds_per_gb(size: int, seconds: float) -> float | None:
    """What restoring a gigabyte takes; nothing where SIZE, in bytes, is too little to tell."""
    return seconds * GB / size if size >= _ENOUGH else None
