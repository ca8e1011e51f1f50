"""The machine itself: who may log in, how it boots, what its memory is for."""

from typing import Annotated, Literal

from pydantic import Field

from emily_infra.spec.base import Strict
from emily_infra.spec.names import (
    HostId,
    Locale,
    MountPoint,
    PackageName,
    Percent,
    PortNumber,
    Release,
    SecretRef,
    SshKey,
    TimeZone,
    UserName,
)  # fmt: skip
from emily_infra.spec.units import Calendar, Duration, Size


class Admin(Strict):
    """A person who operates the host."""

    keys: Annotated[
        tuple[SshKey, ...],
        Field(min_length=1, description="SSH public keys; the only way in over the network."),
    ]
    language: Annotated[
        Literal["en", "ko"], Field(description="The language this person is addressed in.")
    ] = "en"
    password: Annotated[
        SecretRef | None,
        Field(description="A file with the hashed password, for the console and for sudo."),
    ] = None


class Ssh(Strict):
    """The SSH server: keys only, never a password."""

    port: Annotated[PortNumber, Field(description="TCP port.")] = 22


class Memory(Strict):
    """What the RAM is promised to; `check` adds it up."""

    total: Annotated[Size, Field(description="Installed RAM.")]
    arc: Annotated[
        Size,
        Field(ge=64 << 20, description="Ceiling of the ZFS cache (zfs_arc_max), at least 64MiB."),
    ]
    tmpfs: Annotated[Size, Field(description="Ceiling of /tmp, which lives in RAM.")] = Size.parse(
        "2GiB"
    )
    compressed_swap: Annotated[
        Literal["zram", "zswap", "none"],
        Field(description="zram swaps to RAM; zswap compresses in front of a swap partition."),
    ] = "zram"
    zram_percent: Annotated[
        Percent, Field(description="Largest share of RAM that zram may hold, before compression.")
    ] = 25


class Boot(Strict):
    """systemd-boot on the partitions whose `use` is `esp`."""

    generations: Annotated[
        int, Field(ge=2, le=100, description="Boot entries kept on the ESP.")
    ] = 10


class Nix(Strict):
    """The Nix daemon."""

    trusted_users: Annotated[
        tuple[UserName, ...],
        Field(description="Users beside root who may import unsigned paths: root in all but name."),
    ] = ()
    collect_garbage: Annotated[Calendar, Field(description="When old generations are removed.")] = (
        Calendar.parse("weekly")
    )
    keep: Annotated[Duration, Field(description="Generations younger than this are kept.")] = (
        Duration.parse("30d")
    )
    build_dir: Annotated[
        MountPoint | None, Field(description="Where builds run; /tmp is a small tmpfs here.")
    ] = "/nix/var/nix/builds"


class System(Strict):
    """The operating system."""

    state_version: Annotated[
        Release, Field(description="The NixOS release of the first install; never raised later.")
    ]
    host_id: Annotated[
        HostId, Field(description="Unique id that ZFS writes into its pools; for life.")
    ]
    admins: Annotated[
        dict[UserName, Admin], Field(min_length=1, description="The people who operate the host.")
    ]
    memory: Annotated[Memory, Field(description="What the RAM is promised to.")]
    time_zone: Annotated[
        TimeZone, Field(description="For clocks that people read; timers run in UTC.")
    ] = "UTC"
    locales: Annotated[
        tuple[Locale, ...],
        Field(min_length=1, description="The first is the default; the rest are built as well."),
    ] = ("en_US.UTF-8",)
    sudo: Annotated[
        Literal["passwordless", "password"],
        Field(description="Whether an admin types a password to become root."),
    ] = "passwordless"
    packages: Annotated[
        tuple[PackageName, ...], Field(description="Extra programs, by their nixpkgs names.")
    ] = ()
    ssh: Annotated[Ssh, Field(description="The SSH server.")] = Ssh.model_construct()
    boot: Annotated[Boot, Field(description="The boot loader.")] = Boot.model_construct()
    nix: Annotated[Nix, Field(description="The Nix daemon.")] = Nix.model_construct()
