"""Which share of a repository was read when, so that in the end all of it was; pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Shares:
    """A repository in so many shares: restic takes a pack by its name, so N runs cover all."""

    of: int
    since: datetime
    """What was never read waits from here on."""
    read: Mapping[int, datetime] = field(default_factory=dict)
    """When each share was read without an error."""
    damaged: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Packs that are not what was written, by the share that found them."""
    succeeded: datetime | None = None

    def waits_since(self, share: int) -> datetime:
        """When a share was read, or could have been."""
        return self.read.get(share, self.since)

    @property
    def oldest(self) -> datetime:
        """Since when the share waits that waits longest."""
        return min(self.waits_since(share) for share in range(1, self.of + 1))

    @property
    def errors(self) -> int:
        """How many packs are damaged, as far as is known; a share with no pack named counts one."""
        return sum(max(1, len(packs)) for packs in self.damaged.values())

    def next(self, tried: Collection[int] = ()) -> int:
        """What is read now: what was damaged, then what waits longest.

        Where a share was TRIED in this run, it is the turn of the others: one that stays damaged
        must not keep them from being read.
        """
        return min(
            range(1, self.of + 1),
            key=lambda share: (
                share in tried, (share in self.damaged) == bool(tried), self.waits_since(share),
                share in self.read, share,
            ),
        )  # fmt: skip

    def clean(self, share: int, now: datetime) -> "Shares":
        """After a share was read and found whole."""
        damaged = {each: packs for each, packs in self.damaged.items() if each != share}
        return replace(self, read={**self.read, share: now}, damaged=damaged, succeeded=now)

    def broken(self, share: int, packs: tuple[str, ...]) -> "Shares":
        """After a share was read twice and found damaged."""
        return replace(self, damaged={**self.damaged, share: packs})

    def as_data(self) -> dict[str, object]:
        """For the state of the host."""
        return {
            "of": self.of,
            "since": self.since.isoformat(),
            "read": {str(share): when.isoformat() for share, when in self.read.items()},
            "damaged": {str(share): list(packs) for share, packs in self.damaged.items()},
            "succeeded": self.succeeded.isoformat() if self.succeeded else None,
        }


def from_data(
    data: Mapping[str, Any] | None, of: int, now: datetime, first: datetime | None = None
) -> Shares:
    """What is remembered; anew where nothing is, or where there are more or fewer shares now.

    Where nothing is, all of it waits since the FIRST copy.
    """
    try:
        raw = data or {}
        succeeded = raw.get("succeeded")
        known = Shares(
            int(raw["of"]),
            _past(raw["since"], now),
            {int(share): _past(when, now) for share, when in raw["read"].items()},
            {int(share): tuple(packs) for share, packs in raw["damaged"].items()},
            _past(succeeded, now) if succeeded else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return Shares(of, min(first or now, now))
    if known.of != of:
        whole = known.oldest if len(known.read) == known.of else known.since
        # Whichever share has it now: all of them have to be clean before it is forgotten.
        doubtful = range(1, of + 1) if known.damaged else ()
        return Shares(of, whole, {}, dict.fromkeys(doubtful, ()), known.succeeded)
    return known


def _past(text: str, now: datetime) -> datetime:
    """A time as written; one from a clock that was ahead counts as now."""
    return min(datetime.fromisoformat(text), now)
