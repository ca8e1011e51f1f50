"""What follows from the backup part: how far snapshots reach back, and what is covered."""

from emily_infra.spec.backup import Repository
from emily_infra.spec.host import HostSpec
from emily_infra.spec.retention import SnapshotPolicy
from emily_infra.spec.storage import Dataset
from emily_infra.spec.units import Duration

NAME_FORMAT = "emily-%Y%m%dT%H%M%SZ"
"""strftime(3) in UTC. Without `:`, which Samba cannot show, and `+`, which ZFS refuses."""

MAX_SUBSETS = 256
"""restic picks the packs of a share by the first byte of their id."""

_SHORTEST = {
    "frequent": "15min", "hourly": "1h", "daily": "1d", "weekly": "7d", "monthly": "28d",
    "yearly": "365d",
}  # fmt: skip
_LONGEST = _SHORTEST | {"monthly": "31d", "yearly": "366d"}


def policy_of(spec: HostSpec, dataset: Dataset) -> SnapshotPolicy | None:
    """The policy a dataset's snapshots follow, or nothing where it takes none."""
    return spec.backup.snapshots.get(dataset.snapshots or "none")


def reach(policy: SnapshotPolicy) -> Duration:
    """How old the oldest snapshot at least gets that a policy keeps."""
    return Duration(max(count * Duration.parse(_SHORTEST[period]) for period, count in policy))


def pace(policy: SnapshotPolicy) -> Duration:
    """The longest time between two snapshots that a policy asks for."""
    return Duration.parse(next(_LONGEST[period] for period, count in policy if count))


def is_within(path: str, root: str) -> bool:
    """Whether a dataset is another one or stands below it."""
    return path == root or path.startswith(f"{root}/")


def copied_to(spec: HostSpec, path: str) -> list[str]:
    """The repositories that hold a dataset, by name."""
    return sorted(
        name
        for name, repository in spec.backup.offsite.items()
        if any(is_within(path, root) for root in repository.datasets)
    )


def replicated_to(spec: HostSpec, path: str) -> list[str]:
    """The second hosts that a dataset is sent to, by name."""
    return sorted(
        name
        for name, replica in spec.backup.replicas.items()
        if any(is_within(path, root) for root in replica.datasets)
    )


def subsets(repository: Repository) -> int:
    """Into how many shares `verify` cuts a repository: all are read in the time promised."""
    verify = repository.verify
    return min(max(verify.whole_in // verify.schedule.period, 1), MAX_SUBSETS)
