"""The commands that make a pool and its datasets, for all who show or run them."""

import re
from collections.abc import Iterator, Mapping

from emily_infra.render.storage import BY_ID
from emily_infra.spec.storage import Pool, Vdev

Command = tuple[str, ...]

MISMATCH = "mismatched replication level"
"""How zpool begins to say that one vdev survives less than another; STO004 says the same."""
_ROOT = ("mountpoint=none", "xattr=sa", "acltype=posixacl")
"""Of a pool's root: nothing is mounted by accident, and Samba's attributes are quick."""
_OVERRIDABLE = re.compile(r"use .-f. to override")
_READABLE = 100_000
_UNITS = ((40, "T"), (30, "G"), (20, "M"), (10, "K"))


def create_pool(name: str, body: Pool, *flags: str) -> Command:
    """The pool as host.yaml describes it, on disks by their ids."""
    options = [word for each in _ROOT for word in ("-O", each)]
    return (
        *("zpool", "create", *flags, "-o", f"ashift={body.ashift}", *options),
        *(name, *layout(body)),
    )


def layout(body: Pool) -> Iterator[str]:
    """Its vdevs, as zpool takes them."""
    for role in ("data", "special", "log"):
        vdevs: tuple[Vdev, ...] = getattr(body, role)
        for vdev in vdevs:
            yield from () if role == "data" else (role,)
            yield from () if vdev.kind == "disk" else (vdev.kind,)
            yield from (f"{BY_ID}/{disk}" for disk in vdev.disks)
    for word, disks in (("cache", body.cache), ("spare", body.spares)):
        if disks:
            yield from (word, *(f"{BY_ID}/{disk}" for disk in disks))


def create_dataset(path: str, properties: Mapping[str, str]) -> Command:
    """A dataset with everything that host.yaml settles of it."""
    unset = {(name, "0") for name in ("quota", "reservation")}  # these are never inherited
    settled = (f"{n}={written(n, v)}" for n, v in sorted(properties.items() - unset))
    options = [word for each in settled for word in ("-o", each)]
    return ("zfs", "create", "-p", *options, path)


def unmounted(command: Command) -> Command:
    """The same dataset, which ZFS does not mount yet."""
    return (*command[:2], "-u", *command[2:])


def written(name: str, value: str) -> str:
    """A value as a person writes it for `zfs set`: 1M, none."""
    if name in ("quota", "reservation") and value == "0":
        return "none"
    if value.isdigit() and int(value):
        for power, unit in _UNITS:
            if int(value) % (1 << power) == 0 and int(value) >> power < _READABLE:
                return f"{int(value) >> power}{unit}"
    return value


def overridable(said: str) -> tuple[str, ...] | None:
    """What zpool would have forced, reason by reason; nothing where force would not help it."""
    lines = said.splitlines()
    at = next((at for at, line in enumerate(lines) if _OVERRIDABLE.search(line)), None)
    if at is None:
        return None
    return tuple(line.strip() for line in lines[at + 1 :] if line.strip())
