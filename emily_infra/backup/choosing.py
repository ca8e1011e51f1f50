"""Which snapshot of each dataset is copied; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from emily_infra.backup.catalogue import Snapshot, newest_common
from emily_infra.backup.names import pool_of
from emily_infra.backup.settings import LENGTHS, Settings

_LATE = 2
"""Periods after which the newest snapshot of a dataset is worth a word."""


@dataclass
class Chosen:
    """A snapshot of each dataset, and what there was to say of it."""

    snapshots: list[Snapshot] = field(default_factory=list)
    """Parents before children."""
    lacking: dict[str, str] = field(default_factory=dict)
    """The datasets that are not among them, and why."""
    remarks: list[str] = field(default_factory=list)

    @property
    def guids(self) -> dict[str, int]:
        """Which snapshots these are, whatever their names."""
        return {each.dataset: each.guid for each in self.snapshots}

    @property
    def newest(self) -> datetime:
        """The time of the copy; of several pools, that of the one written last."""
        return max(each.creation for each in self.snapshots)

    def drop(self, dataset: str, why: str) -> None:
        """Go on without a dataset."""
        self.snapshots = [each for each in self.snapshots if each.dataset != dataset]
        self.lacking[dataset] = why


def choose(taken: Mapping[str, list[Snapshot]], until: datetime | None = None) -> Chosen:
    """Of the datasets of one pool the newest snapshot that all have, not younger than UNTIL.

    Where there is none, each has its newest: better a copy of two moments than none.
    """
    found = Chosen()
    own: dict[str, list[Snapshot]] = {}
    for dataset, each in taken.items():
        mine = [one for one in each if one.mine and (until is None or one.creation <= until)]
        if mine:
            own[dataset] = mine
        else:
            found.lacking[dataset] = "it has no snapshot yet; take one: emily-infra backup snapshot"
    name = newest_common(own)
    if own and name is None:
        found.remarks.append(
            f"{pool_of(min(own))}: no snapshot has all of {', '.join(sorted(own))}; "
            "the copy has the newest of each, which are not of one moment"
        )
    for _, mine in sorted(own.items()):
        found.snapshots += [one for one in mine if one.name == name] or mine[-1:]
    return found


def late(settings: Settings, snapshots: Iterable[Snapshot], now: datetime) -> list[str]:
    """A word about each dataset whose newest snapshot is older than it should be."""
    said = []
    for each in snapshots:
        policy = settings.policy_of(each.dataset)
        periods = list(policy.counts) if policy else []
        if periods and now - each.creation > _LATE * LENGTHS[periods[0]]:
            said.append(
                f"{each.dataset}: the snapshot to copy is of {each.creation:%Y-%m-%d %H:%MZ}, "
                f"though one is taken {_EVERY[periods[0]]}: systemctl status emily-snapshot"
            )
    return said


_EVERY = {
    "frequent": "every quarter of an hour",
    "hourly": "every hour",
    "daily": "every day",
    "weekly": "every week",
    "monthly": "every month",
    "yearly": "every year",
}
