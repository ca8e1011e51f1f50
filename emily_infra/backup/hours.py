"""The hours of a UTC day in which a repository may be copied to; pure."""

from datetime import datetime, timedelta

_DAY = timedelta(days=1)
Hours = tuple[int, int]
"""Minutes of the day; from after to means over midnight."""


def opens(hours: Hours | None, now: datetime) -> datetime | None:
    """When copies may begin again; nothing while they may."""
    if hours is None or closes(hours, now) is not None:
        return None
    return _next(hours[0], now)


def closes(hours: Hours | None, now: datetime) -> datetime | None:
    """When a copy that runs has to stop; nothing where it may go on, or may not run at all."""
    if hours is None:
        return None
    begin, end = hours
    minute = now.hour * 60 + now.minute
    inside = begin <= minute < end if begin < end else minute >= begin or minute < end
    return _next(end, now) if inside else None


def _next(minute: int, now: datetime) -> datetime:
    """The next time that the clock shows this minute of the day."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=minute)
    return today if today > now else today + _DAY
