"""What a host is told of its backups: /etc/emily/host.json, rendered from host.yaml."""

from datetime import timedelta
from pathlib import Path, PurePath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emily_infra.backup.faults import BadSettings

DEFAULT = Path("/etc/emily/host.json")
PERIODS = ("frequent", "hourly", "daily", "weekly", "monthly", "yearly")
"""Of a policy, from the shortest on: quarter hours, hours, days, ISO weeks, months, years."""
_LARGEST = 16 << 20


class Part(BaseModel):
    """A part of host.json; our own renderer wrote it, so what is unknown is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Paths(Part):
    """Where a host keeps what belongs to its backups."""

    cache: Path = Path("/var/cache/emily")
    """Of restic; may be deleted at any time."""
    kstat: Path = Path("/proc/spl/kstat/zfs")
    """Where the kernel tells of its pools without asking the pool."""
    locks: Path = Path("/run/emily/locks")
    metrics: Path = Path("/var/lib/emily/metrics")
    source: Path = Path("/run/emily/snapshot")
    """Below it, snapshots are mounted where their datasets are mounted below the root."""
    state: Path = Path("/var/lib/emily")


class Secret(Part):
    """A secret: the name of a systemd credential, and its file for whoever works by hand."""

    credential: str
    file: Path


class Policy(Part):
    """How many snapshots of each period are kept."""

    frequent: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The periods that keep anything, from the shortest on."""
        return {name: count for name in PERIODS if (count := getattr(self, name))}


class Dataset(Part):
    """A dataset and what is done for it."""

    mountpoint: Path | None = None
    policy: str | None = None
    repositories: tuple[str, ...] = ()
    replicas: tuple[str, ...] = ()
    exempt: str | None = None
    """Why it has no copy elsewhere."""


class Quiesce(Part):
    """Units that make data consistent before a snapshot, and let it go on afterwards."""

    before: str
    after: str | None = None
    datasets: tuple[str, ...]
    deadline: int
    """Seconds."""
    required: bool = False
    """Without it, its datasets take no snapshot."""


class Keep(Part):
    """What `restic forget` leaves."""

    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0


class Verify(Part):
    """Reading back, a share at a time; times in seconds."""

    subsets: Annotated[int, Field(ge=1, le=256)]
    period: int
    whole_in: int


class Repository(Part):
    """A restic repository."""

    url: str
    password: Secret
    environment: Secret | None = None
    datasets: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    keep: Keep
    period: int
    """Seconds between two copies."""
    verify: Verify
    upload_kib: int | None = None
    """KiB in a second."""
    hours: tuple[int, int] | None = None
    """Minutes of the UTC day between which copies may run; from after to means over midnight."""
    append_only: bool = False
    """Whoever keeps the repository forgets and prunes there; from here nothing can be deleted."""


class Replica(Part):
    """A second ZFS host that takes `zfs send`."""

    address: str
    port: int = 22
    user: str
    host_key: str
    key: Secret
    into: str
    """The dataset there, below which ours stand by their own paths."""
    datasets: tuple[str, ...]
    period: int
    upload_kib: int | None = None


class Receive(Part):
    """A host that sends here; what is kept of it is decided here."""

    into: str
    keep: Policy


class Drill(Part):
    """How often, and how much at least, is restored and compared."""

    period: int
    files: int = 100
    size: int = 1 << 30
    """Bytes."""


class Check(Part):
    """A database dump that must restore and answer, in a whole drill."""

    dump: Path
    format: Literal["custom", "sql"] = "custom"
    query: str


class Settings(Part):
    """All of host.json."""

    version: Literal[2]
    host: str
    host_id: str
    snapshot_name: str = "emily-%Y%m%dT%H%M%SZ"
    paths: Paths = Paths.model_construct()
    datasets: dict[str, Dataset]
    policies: dict[str, Policy] = {}
    quiesce: dict[str, Quiesce] = {}
    repositories: dict[str, Repository] = {}
    replicas: dict[str, Replica] = {}
    receives: dict[str, Receive] = {}
    uncopied: int = 0
    """Seconds that one snapshot a day outlives its policy for want of a copy."""
    drill: Drill | None = None
    checks: dict[str, Check] = {}

    def policy_of(self, dataset: str) -> Policy | None:
        """What is kept of a dataset's snapshots, or nothing where none are taken."""
        name = self.datasets[dataset].policy if dataset in self.datasets else None
        return self.policies[name] if name else None

    def copied_to(self, repository: str) -> dict[str, Dataset]:
        """The datasets that a repository holds, parents before children."""
        return {
            path: body
            for path, body in sorted(self.datasets.items())
            if repository in body.repositories
        }

    def sent_to(self, replica: str) -> list[str]:
        """The datasets that a replica holds, parents before children."""
        return [path for path, body in sorted(self.datasets.items()) if replica in body.replicas]

    def holder_of(self, path: PurePath) -> tuple[str, Path] | None:
        """The dataset that a path is on, and where that is mounted; nothing outside of them all."""
        above = [
            (name, body.mountpoint)
            for name, body in self.datasets.items()
            if body.mountpoint and path.is_relative_to(body.mountpoint)
        ]
        return max(above, key=lambda each: len(each[1].parts), default=None)


LENGTHS = {
    "frequent": timedelta(minutes=15),
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=31),
    "yearly": timedelta(days=366),
}
"""The longest that each period lasts."""


def load(path: Path = DEFAULT) -> Settings:
    """What stands in a file; BadSettings where it is missing or not of this version."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST)
    except OSError as error:
        raise BadSettings(
            f"{path}: {error.strerror}",
            hint="backups run on a host that was applied: emily-infra apply HOST; "
            "elsewhere name the file: emily-infra backup --config FILE ...",
        ) from error
    try:
        return Settings.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadSettings(
            f"{path}: {where}: {first['msg']}",
            hint="it is written by another version of emily-infra than this one; render and "
            "apply the host again: emily-infra render HOST && emily-infra apply HOST",
        ) from error
