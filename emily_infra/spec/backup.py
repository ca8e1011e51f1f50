"""Snapshots, off-site repositories and the drills that prove them."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from emily_infra.spec.base import Shaped, Strict, wrong
from emily_infra.spec.names import DatasetPath, HostName, MountPoint, SecretRef, Word
from emily_infra.spec.replication import Receive, Replica
from emily_infra.spec.retention import Keep, SnapshotPolicy
from emily_infra.spec.units import Calendar, Duration, Hours, Rate, Size

RepositoryUrl = Annotated[
    str,
    Shaped(
        r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)+/?|(?:s3|rest):https?://[^\s/:@]+(?::\d+)?/\S*"
        r"|sftp:(?://)?[^\s:@]+@[^\s:]+:\S+|(?:b2|gs|azure|swift|rclone):[^\s:]+:\S*",
        "a restic repository without a password in it",
        "such as s3:https://s3.example.org/bucket, rest:https://nas/ember/ or sftp:user@host:/path",
    ),
]
Exclude = Annotated[
    str, Shaped(r"[^\x00-\x1f]{1,255}", "an exclude pattern", "such as /srv/code/**/node_modules")
]
Reason = Annotated[
    str, Shaped(r"[^\x00-\x1f]{8,200}", "a reason", "a sentence of at least 8 characters")
]
Service = Annotated[
    str,
    Shaped(r"[A-Za-z0-9_][A-Za-z0-9:_.\\-]{0,99}(?:@[A-Za-z0-9:_.\\-]{0,100})?\.service",
           "a service", "its full name, such as postgresqlBackup-ledger.service"),
]  # fmt: skip
Query = Annotated[
    str,
    Shaped(r"[^\x00-\x1f]{1,1000}", "a query",
           "one line of SQL that answers true, such as select count(*) > 0 from entries"),
]  # fmt: skip


class Quiesce(Strict):
    """Services of this host that make data consistent before a snapshot of it is taken."""

    before: Annotated[
        Service, Field(description="Run to its end before the snapshot, such as one that dumps.")
    ]
    after: Annotated[
        Service | None, Field(description="Started once the snapshot is taken, whatever came.")
    ] = None
    datasets: Annotated[
        tuple[DatasetPath, ...],
        Field(min_length=1, description="Whose snapshots wait for it; no other ones."),
    ]
    deadline: Annotated[
        Duration, Field(ge=1000, description="How long the snapshot waits at most.")
    ] = Duration.parse("10min")
    required: Annotated[
        bool, Field(description="Rather no snapshot than one from before it is done.")
    ] = False


class Verify(Strict):
    """Reading back what was stored, a share at a time."""

    schedule: Annotated[Calendar, Field(description="When a share is read.")] = Calendar.parse(
        "06:00"
    )
    whole_in: Annotated[Duration, Field(description="Every byte is read within this time.")] = (
        Duration.parse("4w")
    )


class Repository(Strict):
    """A restic repository elsewhere."""

    repository: Annotated[RepositoryUrl, Field(description="Where it is.")]
    password: Annotated[SecretRef, Field(description="The file with the repository's password.")]
    credentials: Annotated[
        SecretRef | None, Field(description="An environment file with the provider's keys.")
    ] = None
    datasets: Annotated[
        tuple[DatasetPath, ...],
        Field(min_length=1, description="What is stored there, each with the datasets below it."),
    ]
    exclude: Annotated[tuple[Exclude, ...], Field(description="Anchored paths left out.")] = ()
    schedule: Annotated[Calendar, Field(description="When a copy is made.")] = Calendar.parse(
        "02:00"
    )
    keep: Annotated[Keep, Field(description="How long copies live.")] = Keep.model_construct()
    prune: Annotated[Calendar, Field(description="When forgotten data is removed.")] = (
        Calendar.parse("Sun 09:00")
    )
    verify: Annotated[Verify, Field(description="Reading back.")] = Verify.model_construct()
    upload_limit: Annotated[Rate | None, Field(description="Ceiling on the line.")] = None
    hours: Annotated[
        Hours | None,
        Field(description="The hours (UTC) in which copies run; one cut short goes on next time."),
    ] = None
    append_only: Annotated[
        bool, Field(description="The far side lets nothing be deleted from here, and forgets.")
    ] = False

    @property
    def scheme(self) -> str:
        """How it is reached: s3, rest, sftp and so on; file for a folder of this host."""
        return "file" if self.repository.startswith("/") else self.repository.partition(":")[0]

    @property
    def location(self) -> str:
        """Its address in one spelling, to tell whether two are the same."""
        return self.repository.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this host."""
        return self.scheme == "file"


class Drill(Strict):
    """Restoring real files and comparing them with the snapshot they came from."""

    schedule: Annotated[Calendar, Field(description="When.")] = Calendar.parse("weekly")
    files: Annotated[
        int, Field(ge=1, le=1_000_000, description="How many are restored at least.")
    ] = 100
    full: Annotated[
        Calendar | None,
        Field(description="When all is restored, and every database in checks is asked."),
    ] = None
    size: Annotated[Size, Field(ge=1, description="How much is restored at least.")] = Size.parse(
        "1GiB"
    )


def _drill(written: object) -> object:
    mapped = written is None or isinstance(written, dict | Drill)
    return written if mapped else {"schedule": written}


class DumpCheck(Strict):
    """A PostgreSQL dump that a whole drill restores into a throw-away server and asks."""

    dump: Annotated[MountPoint, Field(description="The file, on a dataset that is copied.")]
    format: Annotated[
        Literal["custom", "sql"], Field(description="As pg_dump wrote it: custom, or plain SQL.")
    ] = "custom"
    query: Annotated[Query, Field(description="What must answer true once it is restored.")]


class Backup(Strict):
    """What is kept of the data, where, and how we know."""

    snapshots: Annotated[
        dict[Word, SnapshotPolicy], Field(description="Local policies that datasets name.")
    ] = {}
    quiesce: Annotated[
        dict[Word, Quiesce], Field(description="What makes data consistent before a snapshot.")
    ] = {}
    offsite: Annotated[dict[Word, Repository], Field(description="Copies elsewhere.")] = {}
    replicas: Annotated[
        dict[Word, Replica], Field(description="Second ZFS hosts that snapshots are sent to.")
    ] = {}
    receives: Annotated[
        dict[HostName, Receive], Field(description="Hosts that send their snapshots here, by name.")
    ] = {}
    uncopied: Annotated[
        Duration | None,
        Field(
            ge=Duration.parse("1d"),
            # What a copy sets free at last is less than what would be asked about (--many).
            le=Duration.parse("7d"),
            description="How long one snapshot a day outlives its policy, waiting for a copy.",
        ),
    ] = None
    exempt: Annotated[
        dict[DatasetPath, Reason], Field(description="Datasets that need no copy, and why.")
    ] = {}
    drill: Annotated[
        Drill | None,
        BeforeValidator(_drill, json_schema_input_type=Calendar | Drill | None),
        Field(description="When real files are restored and compared, such as weekly."),
    ] = None
    checks: Annotated[
        dict[Word, DumpCheck], Field(description="Database dumps that a whole drill restores.")
    ] = {}

    @model_validator(mode="after")
    def _none_is_no_policy(self) -> Self:
        if "none" in self.snapshots:
            raise wrong(
                "no policy can be called none",
                "a dataset with snapshots: none takes none; call the policy something else",
            )
        return self
