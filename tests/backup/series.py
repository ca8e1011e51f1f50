"""Series of snapshots, as retention looks at them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from emily_infra.backup.retention import Point, Times

EPOCH = datetime(2024, 2, 20, 22, 40, tzinfo=UTC)


def series(gaps: Sequence[int], start: datetime = EPOCH) -> list[Point]:
    """Snapshots whose order is that of their transaction groups, and whose clock steps by GAPS."""
    points, at = [], start
    for number, gap in enumerate(gaps):
        at += timedelta(seconds=gap)
        points.append(Point(guid=f"g{number}", createtxg=100 + 7 * number, at=at))
    return points


def hours(count: int, start: datetime = EPOCH) -> Iterator[Point]:
    """A snapshot every hour."""
    for number in range(count):
        yield Point(f"g{number}", 100 + number, start + timedelta(hours=number))


def now_after(points: Sequence[Point]) -> Times:
    """A clock that has just come to the newest of them."""
    return Times(now=max((point.at for point in points), default=EPOCH))
