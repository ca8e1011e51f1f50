"""Disks, pools and datasets."""

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from emily_infra.spec.base import Shaped, Strict, wrong
from emily_infra.spec.names import DatasetName, DiskId, MountPoint, PoolName, UserName, Word
from emily_infra.spec.units import Calendar, Size

PartitionNumber = Annotated[
    str, Shaped(r"[1-9]\d?", "a partition number", "1 to 99, as in nvme-A-part5")
]
Mode = Annotated[
    str, Shaped(r"[0-7]{3,4}", "a file mode", 'octal digits in quotes, such as "2770"')
]


def _record_size(size: Size) -> Size:
    if size & (size - 1) or not 512 <= size <= 16 << 20:
        raise wrong(f"{size} is no recordsize", "a power of two from 512B to 16MiB, such as 128KiB")
    return size


RecordSize = Annotated[Size, AfterValidator(_record_size)]


class Partition(Strict):
    """A slice of a disk; storage on it is named DISK-partN, as under /dev/disk/by-id."""

    size: Annotated[Size, Field(gt=0, description="How large it is.")]
    use: Annotated[
        Literal["esp", "swap", "zfs", "other"],
        Field(description="esp holds the boot loader, swap is swap space, zfs goes into a pool."),
    ]


class Disk(Strict):
    """A disk under its name in /dev/disk/by-id."""

    size: Annotated[Size, Field(ge=64 << 20, description="As printed on the label.")]
    media: Annotated[
        Literal["hdd", "ssd"], Field(description="Spinning or not; decides trim and estimates.")
    ] = "hdd"
    bay: Annotated[int | None, Field(ge=0, description="Where a person finds it.")] = None
    partitions: Annotated[
        dict[PartitionNumber, Partition],
        Field(description="By number. A disk without partitions is used whole."),
    ] = {}


class Vdev(Strict):
    """A group of disks with one redundancy: exactly one of the keys below."""

    disk: Annotated[DiskId | None, Field(description="One disk alone, without redundancy.")] = None
    mirror: Annotated[
        tuple[DiskId, ...] | None, Field(min_length=2, description="Copies: all but one may fail.")
    ] = None
    raidz1: Annotated[
        tuple[DiskId, ...] | None, Field(min_length=2, description="Any one may fail.")
    ] = None
    raidz2: Annotated[
        tuple[DiskId, ...] | None, Field(min_length=3, description="Any two may fail.")
    ] = None
    raidz3: Annotated[
        tuple[DiskId, ...] | None, Field(min_length=4, description="Any three may fail.")
    ] = None
    draid1: Annotated[tuple[DiskId, ...] | None, Field(description="Refused; see STO018.")] = None
    draid2: Annotated[tuple[DiskId, ...] | None, Field(description="Refused; see STO018.")] = None
    draid3: Annotated[tuple[DiskId, ...] | None, Field(description="Refused; see STO018.")] = None

    @model_validator(mode="after")
    def _one_layout(self) -> Self:
        if sum(bool(value) for _, value in self) != 1:
            raise wrong("a vdev has exactly one layout", "such as raidz2: [DISK, DISK, DISK, DISK]")
        return self

    @cached_property
    def kind(self) -> str:
        """disk, mirror, raidz1 and so on."""
        return next(name for name, value in self if value)

    @cached_property
    def disks(self) -> tuple[DiskId, ...]:
        """The members in the order written."""
        value: DiskId | tuple[DiskId, ...] | None = getattr(self, self.kind)
        return (value,) if isinstance(value, str) else value or ()

    @property
    def failures_survived(self) -> int:
        """How many members may fail without loss."""
        return {"disk": 0, "mirror": len(self.disks) - 1}.get(self.kind) or _parity(self.kind)


def _parity(kind: str) -> int:
    return int(kind[-1]) if kind[-1].isdigit() else 0


class Owner(Strict):
    """Who owns the top folder of a mounted dataset."""

    user: Annotated[UserName, Field(description="Owning user.")] = "root"
    group: Annotated[UserName, Field(description="Owning group.")] = "root"
    mode: Annotated[Mode, Field(description="Permissions.")] = "0755"


class Dataset(Strict):
    """A ZFS filesystem."""

    recordsize: Annotated[RecordSize, Field(description="Largest block of a file.")] = Size.parse(
        "128KiB"
    )
    small_blocks_on_special: Annotated[
        Size | None,
        Field(
            le=16 << 20, description="Blocks up to this size go to the special vdev; 0B for none."
        ),
    ] = None
    all_on_special: Annotated[
        bool, Field(description="Pin the whole dataset to the special vdev, knowingly.")
    ] = False
    compression: Annotated[
        Literal["zstd", "lz4", "zstd-fast", "off"], Field(description="Block compression.")
    ] = "zstd"
    mountpoint: Annotated[
        MountPoint | None, Field(description="Where it is mounted; nothing means nowhere.")
    ] = None
    mounted_by: Annotated[
        Literal["nixos", "zfs"],
        Field(description="nixos mounts through fileSystems, so that units can wait for it; "
                          "zfs mounts by the property. One owner only."),
    ] = "nixos"  # fmt: skip
    needed_for_boot: Annotated[
        bool, Field(description="Mounted in the initrd; the boot fails without it.")
    ] = False
    quota: Annotated[
        Size | None, Field(gt=0, description="Ceiling, snapshots and children included.")
    ] = None
    reservation: Annotated[
        Size | None, Field(description="Space kept for it, children included.")
    ] = None
    snapshots: Annotated[
        Word | None, Field(description="A policy of backup.snapshots, or none.")
    ] = None
    owner: Annotated[Owner | None, Field(description="Owner of the mounted folder.")] = None

    @property
    def special_blocks(self) -> int:
        """The largest block that goes to the special vdev, 0 for none (special_small_blocks)."""
        small = int(self.small_blocks_on_special or 0)
        return max(small, int(self.recordsize)) if self.all_on_special else small


class Pool(Strict):
    """A pool; ZFS stripes over the vdevs of `data`."""

    data: Annotated[tuple[Vdev, ...], Field(min_length=1, description="Where data lives.")]
    special: Annotated[
        tuple[Vdev, ...], Field(description="Fast vdevs for metadata; losing them loses the pool.")
    ] = ()
    log: Annotated[tuple[Vdev, ...], Field(description="Fast vdevs for synchronous writes.")] = ()
    cache: Annotated[
        tuple[DiskId, ...], Field(description="Read cache; may be lost at any time.")
    ] = ()
    spares: Annotated[tuple[DiskId, ...], Field(description="Take over for a failed disk.")] = ()
    ashift: Annotated[
        int, Field(ge=9, le=16, description="Sector size as a power of two; 12 is 4 KiB. For life.")
    ] = 12
    datasets: Annotated[
        dict[DatasetName, Dataset],
        Field(max_length=2_000, description="Filesystems by their name below the pool."),
    ] = {}

    @cached_property
    def failures_survived(self) -> int:
        """How many members of any one data vdev may fail without loss."""
        return min(vdev.failures_survived for vdev in self.data)

    @property
    def vdevs(self) -> tuple[tuple[str, int, Vdev], ...]:
        """Every vdev with its class and index: data, special, log."""
        return tuple(
            (name, index, vdev)
            for name in ("data", "special", "log")
            for index, vdev in enumerate(getattr(self, name))
        )


class Storage(Strict):
    """Everything that holds data."""

    disks: Annotated[
        dict[DiskId, Disk], Field(description="Every disk that this host may touch.")
    ] = {}
    pools: Annotated[dict[PoolName, Pool], Field(description="ZFS pools.")] = {}
    scrub: Annotated[Calendar, Field(description="When every block is read and checked.")] = (
        Calendar.parse("monthly")
    )
    trim: Annotated[Calendar | None, Field(description="When SSDs are told what is free.")] = (
        Calendar.parse("weekly")
    )
