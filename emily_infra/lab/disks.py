"""The host's disks as sparse files: their serials, their names, what is made on them."""

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from emily_infra.disks import partitions
from emily_infra.disks.partitions import SECTOR
from emily_infra.observe import Observation
from emily_infra.observe.pools import Dataset, Pool
from emily_infra.plan.storage import steps
from emily_infra.render.storage import BY_ID
from emily_infra.spec.host import HostSpec

_LONGEST_SERIAL = 20
"""What virtio-blk passes on; it cuts off the rest."""
_CREATE = """\
create() {
  said=$(zpool create "$@" 2>&1) && return
  others=$(printf '%s\\n' "$said" | sed '1,/use .-f. to override/d' |
    grep -v '^mismatched replication level') || others=
  [ -z "$others" ] || { printf '%s\\n' "$said" >&2; exit 1; }
  zpool create -f "$@"
}"""
"""With force only where one vdev survives less than another: `check` has its say about that."""


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
    return "\n".join(
        ("set -eu", partitions.APPEAR, *_waiting(spec), *_partitioning(spec), *_pools(spec), "")
    )


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
        table = shlex.quote(partitions.table(body, SECTOR))
        yield f"if ! blkid -p {device} >/dev/null; then"
        yield f"  printf %s {table} | {shlex.join(partitions.partitioning(name))}"
        yield f"  appear {shlex.join(partitions.parts(name, body))}"
        yield from (f"  {shlex.join(each)} >/dev/null" for each in partitions.formats(name, body))
        yield "fi"


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
