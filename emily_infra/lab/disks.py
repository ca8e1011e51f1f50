"""The host's disks as sparse files: their serials, their names, what is made on them."""

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from emily_infra.observe import Observation
from emily_infra.observe.pools import Dataset, Pool
from emily_infra.plan.storage import steps
from emily_infra.spec.host import HostSpec
from emily_infra.spec.storage import Disk as Described
from emily_infra.spec.storage import Partition

BY_ID = "/dev/disk/by-id"
SECTOR = 512
_LONGEST_SERIAL = 20
"""What virtio-blk passes on; it cuts off the rest."""
_KINDS = {
    "esp": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "swap": "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F",
    "zfs": "6A898CC3-1DD2-11B2-99A6-080020736631",
    "other": "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
}
_APPEAR = """\
appear() {
  tries=0
  until udevadm wait --timeout=2 "$@" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 150 ] || { echo "these do not appear: $*" >&2; exit 1; }
  done
}"""
"""It waits in short turns, for one that misses its moment waits for ever."""
_CREATE = """\
create() {
  said=$(zpool create "$@" 2>&1) && return
  others=$(printf '%s\\n' "$said" | sed '1,/use .-f. to override/d' |
    grep -v '^mismatched replication level') || others=
  [ -z "$others" ] || { printf '%s\\n' "$said" >&2; exit 1; }
  zpool create -f "$@"
}"""
"""With force only where one vdev survives less than another: `check` has its say about that."""
_FORMATS = {"esp": "mkfs.vfat -F 32", "swap": "mkswap -q"}


@dataclass(frozen=True)
class Disk:
    """A disk as QEMU offers it."""

    name: str
    serial: str
    size: int


def disks(spec: HostSpec) -> tuple[Disk, ...]:
    """The host's disks by name, with exactly the declared sizes (whole sectors)."""
    return tuple(
        Disk(name, serial(name), int(body.size) // SECTOR * SECTOR)
        for name, body in sorted(spec.storage.disks.items())
    )


def serial(name: str) -> str:
    """A disk's name, or what stands for a name that cannot be a serial here."""
    if len(name) <= _LONGEST_SERIAL and not name.startswith("lab-"):  # those are the lab's own
        return name
    return hashlib.sha256(name.encode()).hexdigest()[:_LONGEST_SERIAL]


def udev_rules(spec: HostSpec) -> str:
    """Links that give every disk and partition the name it has in host.yaml."""
    return "".join(
        f'SUBSYSTEM=="block", ENV{{DEVTYPE}}=="{kind}", {key}=="{disk.serial}", '
        f'SYMLINK+="disk/by-id/{disk.name}{part}"\n'
        for disk in disks(spec)
        for kind, key, part in (
            ("disk", "ATTR{serial}", ""), ("partition", "ATTRS{serial}", "-part%n"),
        )
    )  # fmt: skip


def preparation(spec: HostSpec) -> str:
    """The shell program that partitions blank disks and creates what pools are not there."""
    return "\n".join(("set -eu", _APPEAR, *_waiting(spec), *_partitioning(spec), *_pools(spec), ""))


def _waiting(spec: HostSpec) -> Iterator[str]:
    """SSH is there before all disks are."""
    if spec.storage.disks:
        links = (f"{BY_ID}/{name}" for name in sorted(spec.storage.disks))
        yield f"appear {' '.join(links)}"


def _partitioning(spec: HostSpec) -> Iterator[str]:
    for name, body in sorted(spec.storage.disks.items()):
        if not body.partitions:
            continue
        device = f"{BY_ID}/{name}"
        yield f"if ! blkid -p {device} >/dev/null; then"
        yield f"  printf {shlex.quote(_table(body))} | sfdisk --quiet --label gpt {device}"
        parts = (f"{device}-part{number}" for number, _ in _numbered(body))
        yield f"  appear {' '.join(parts)}"
        for number, partition in _numbered(body):
            if partition.use in _FORMATS:
                yield f"  {_FORMATS[partition.use]} {device}-part{number} >/dev/null"
        yield "fi"


def _table(body: Described) -> str:
    return "".join(
        f"{number} : size={int(partition.size) // SECTOR}, type={_KINDS[partition.use]}\\n"
        for number, partition in _numbered(body)
    )


def _numbered(body: Described) -> list[tuple[str, Partition]]:
    return sorted(body.partitions.items(), key=lambda item: int(item[0]))


def _pools(spec: HostSpec) -> Iterator[str]:
    """The commands that `plan` would show a person, run here without one: these disks are files."""
    if spec.storage.pools:
        yield "modprobe zfs"
        yield _CREATE
    for name in sorted(spec.storage.pools):
        alone = spec.model_copy(
            update={"storage": spec.storage.model_copy(
                update={"pools": {name: spec.storage.pools[name]}})}
        )  # fmt: skip
        found = [
            *steps(alone, Observation("lab")),
            *steps(alone, Observation("lab", pools=(_bare(name),))),
        ]
        yield f"if ! zpool list {name} >/dev/null 2>&1 &&"
        yield f"  ! zpool import -d {BY_ID} -N {name} 2>/dev/null; then"
        yield from (f"  {_line(command)}" for step in found for command in step.commands)
        yield "fi"


def _line(command: tuple[str, ...]) -> str:
    create = command[:2] == ("zpool", "create")
    return f"create {shlex.join(command[2:])}" if create else shlex.join(command)


def _bare(name: str) -> Pool:
    """A pool with nothing on it, of which no more is told."""
    root = Dataset(name, "filesystem", "", 0, 0, 0, False, 0, {}, {}, None, None)  # noqa: FBT003
    return Pool(name, "", "ONLINE", 0, 0, 0, None, datasets=(root,), told=False)
