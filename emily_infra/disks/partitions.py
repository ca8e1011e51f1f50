"""Partitions as host.yaml declares them: the table, what is made on them, and the wait for them."""

import shlex
import zlib
from collections.abc import Iterable, Iterator

from emily_infra.render.storage import BY_ID
from emily_infra.spec.storage import Disk, Partition
from emily_infra.zfs.commands import Command

SECTOR = 512
_KINDS = {
    "esp": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "swap": "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F",
    "zfs": "6A898CC3-1DD2-11B2-99A6-080020736631",
    "other": "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
}
MADE_HERE = ("esp", "swap")
"""The uses of partitions that are formatted, and go into no pool."""
APPEAR = """\
appear() {
  tries=0
  until udevadm wait --timeout=2 "$@" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 150 ] || { echo "these do not appear: $*" >&2; exit 1; }
  done
}"""
"""It waits in short turns, for one that misses its moment waits for ever."""


def numbered(body: Disk) -> list[tuple[str, Partition]]:
    """The partitions of a disk in the order of their numbers."""
    return sorted(body.partitions.items(), key=lambda item: int(item[0]))


def table(body: Disk, sector: int) -> str:
    """The input of sfdisk, which counts in logical sectors."""
    return "".join(
        f"{number} : size={int(partition.size) // sector}, type={_KINDS[partition.use]}\n"
        for number, partition in numbered(body)
    )


def partitioning(disk: str) -> Command:
    """The command that takes the table; it refuses a disk that is in use."""
    return ("sfdisk", "--quiet", "--wipe", "never", "--label", "gpt", f"{BY_ID}/{disk}")


def formats(disk: str, body: Disk) -> Iterator[Command]:
    """What is made on partitions that no pool gets."""
    for number, partition in numbered(body):
        if partition.use == "esp":
            words = ("mkfs.vfat", "-F", "32", "-n", "EMILY", "-i", stamp(disk, number))
            yield (*words, part(disk, number))
        elif partition.use == "swap":
            yield ("mkswap", "-q", part(disk, number))


def stamp(disk: str, number: str) -> str:
    """The volume id of a boot partition that was made for this very place, to know it again by."""
    return f"{zlib.crc32(part(disk, number).encode()):08X}"


def part(disk: str, number: str) -> str:
    """The path of a partition."""
    return f"{BY_ID}/{disk}-part{number}"


def parts(disk: str, body: Disk) -> tuple[str, ...]:
    """The paths of all partitions."""
    return tuple(part(disk, number) for number, _ in numbered(body))


def appearing(paths: Iterable[str]) -> str:
    """A shell program that ends once these are there."""
    return f"{APPEAR}\nappear {shlex.join(paths)}\n"
