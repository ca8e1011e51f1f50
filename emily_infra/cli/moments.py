"""Points in time as a person says them."""

from datetime import UTC, datetime

_STEPS = ((60, "s"), (60, "min"), (24, "h"), (7, "days"), (52, "weeks"))
_ENOUGH = {"s": 60, "min": 120, "h": 48, "days": 14, "weeks": 104}
"""From how many of a unit on the next one reads better."""


def span(seconds: int) -> str:
    """A length of time in one unit: `90 min`."""
    amount = max(0, seconds)
    for step, unit in _STEPS:
        if amount < _ENOUGH[unit]:
            return f"{amount} {unit}"
        amount //= step
    return f"{amount} years"


def ago(then: int, now: int) -> str:
    """How long before now: `3 min ago`."""
    if not then:
        return "never"
    if then > now + 60:
        return f"in {span(then - now)}"
    return f"{span(now - then)} ago"


def iso(moment: int) -> str | None:
    """For a program."""
    if not moment:
        return None
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None
