"""Snapshots, off-site repositories and the drills that prove them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from emily_infra.spec.base import Shaped, Strict, wrong
from emily_infra.spec.names import DatasetPath, SecretRef, Word
from emily_infra.spec.units import Calendar, Duration, Rate

Count = Annotated[int, Field(ge=0, le=10_000)]
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


class SnapshotPolicy(Strict):
    """How many snapshots of each period are kept; a period is kept by its newest snapshot."""

    hourly: Annotated[Count, Field(description="Hours.")] = 0
    daily: Annotated[Count, Field(description="Days.")] = 0
    weekly: Annotated[Count, Field(description="ISO weeks.")] = 0
    monthly: Annotated[Count, Field(description="Months.")] = 0
    yearly: Annotated[Count, Field(description="Years.")] = 0

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if not any(count for _, count in self):
            raise wrong("the policy keeps nothing", "such as { hourly: 48, daily: 14 }")
        return self


class Keep(Strict):
    """What `restic forget` leaves."""

    daily: Annotated[Count, Field(description="Days.")] = 7
    weekly: Annotated[Count, Field(description="Weeks.")] = 4
    monthly: Annotated[Count, Field(description="Months.")] = 12
    yearly: Annotated[Count, Field(description="Years.")] = 3


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


class Backup(Strict):
    """What is kept of the data, where, and how we know."""

    snapshots: Annotated[
        dict[Word, SnapshotPolicy], Field(description="Local policies that datasets name.")
    ] = {}
    offsite: Annotated[dict[Word, Repository], Field(description="Copies elsewhere.")] = {}
    exempt: Annotated[
        dict[DatasetPath, Reason], Field(description="Datasets that need no copy, and why.")
    ] = {}
    drill: Annotated[
        Calendar | None, Field(description="When real files are restored and compared.")
    ] = None

    @model_validator(mode="after")
    def _none_is_no_policy(self) -> Self:
        if "none" in self.snapshots:
            raise wrong(
                "no policy can be called none",
                "a dataset with snapshots: none takes none; call the policy something else",
            )
        return self
