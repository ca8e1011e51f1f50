"""What host.yaml's disks become, and what of it a person has to bring: pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from emily_infra.disks.partitions import MADE_HERE, numbered
from emily_infra.disks.places import Place, members
from emily_infra.install.faults import NotDescribed
from emily_infra.render.storage import FileSystem, file_systems
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.topology import partitions, secret_file, secret_references
from emily_infra.zfs.commands import Command

ROOT = "/mnt"
"""Where nixos-install expects the new system's root."""
_ELSEWHERE = frozenset({"nfs", "nfs4", "cifs", "none", "overlay", "proc", "sysfs", "tmpfs"})
_NOT_NEEDED = frozenset({"bind", "noauto", "nofail"})


@dataclass(frozen=True)
class Purpose:
    """A disk, or a partition of it, and what it is to be."""

    name: str
    size: int
    use: str


def purposes(spec: HostSpec) -> Iterator[Purpose]:
    """Every disk of host.yaml by name, with what becomes of it."""
    pools = {
        name: pool for pool, body in sorted(spec.storage.pools.items()) for name in members(body)
    }
    loaders = partitions(spec, "esp")
    for disk, body in sorted(spec.storage.disks.items()):
        if not body.partitions:
            use = f"pool {pools[disk]}" if disk in pools else "left alone"
            yield Purpose(disk, int(body.size), use)
        for number, partition in numbered(body):
            name = f"{disk}-part{number}"
            words = {
                "esp": "/boot" if name in loaders[:1] else "a copy of /boot",
                "swap": "swap",
                "zfs": f"pool {pools.get(name, 'of nobody')}",
            }
            yield Purpose(name, int(partition.size), words.get(partition.use, "left empty"))


def boot_places(spec: HostSpec) -> tuple[Place, ...]:
    """The disks with partitions that no pool gets, and which of them are formatted."""
    return tuple(
        Place(disk, body, numbers)
        for disk, body in sorted(spec.storage.disks.items())
        if (numbers := tuple(n for n, part in numbered(body) if part.use in MADE_HERE))
    )


def pools_in_order(spec: HostSpec) -> list[str]:
    """The pool of the root first: without it nothing else makes sense."""
    first = {entry.device.partition("/")[0] for entry in file_systems(spec) if entry.path == "/"}
    return sorted(spec.storage.pools, key=lambda name: (name not in first, name))


def place(entry: FileSystem) -> str:
    """Where it is mounted while the system is installed."""
    return ROOT + entry.path.rstrip("/")


def mounting(entry: FileSystem) -> tuple[Command, Command]:
    """The commands that mount a file system below ROOT."""
    options = [each for each in entry.options if each != "nofail"]
    words = ("-o", ",".join(options)) if options else ()
    where = place(entry)
    return ("mkdir", "-p", where), ("mount", "-t", entry.kind, *words, entry.device, where)


def bootable(host: Host) -> None:
    """NotDescribed, where host.yaml leaves open what the system is to lie on."""
    found = {entry.path for entry in file_systems(host.spec)}
    lacking = []
    if "/" not in found:
        lacking.append("dataset with `mountpoint: /`")
    if "/boot" not in found:
        lacking.append("partition with `use: esp`")
    if lacking:
        raise NotDescribed(
            f"hosts/{host.name}/host.yaml has no {' and no '.join(lacking)}, so it does not say "
            "what the system is to lie on",
            hint=f"describe the boot disk there; or install NixOS on {host.name} by hand, then "
            f"storage create and apply: emily-infra explain {NotDescribed.code}",
        )


def all_mounted(host: Host, fstab: str) -> None:
    """NotDescribed, where the built system mounts at boot what nothing here prepares."""
    known = {entry.path for entry in file_systems(host.spec)}
    others = []
    for line in fstab.splitlines():
        words = line.split()
        if len(words) < 4 or words[0].startswith("#"):
            continue
        device, path, kind, options = words[:4]
        needed = kind not in _ELSEWHERE and not _NOT_NEEDED & {*options.split(",")}
        if needed and path.startswith("/") and path not in known and not device.startswith("/mnt"):
            others.append(f"{path} ({kind} on {device})")
    if others:
        raise NotDescribed(
            f"the system of {host.name} mounts what host.yaml does not describe: "
            f"{', '.join(others)}",
            hint=f"take it out of hosts/{host.name}/hardware.nix, or give it the option nofail",
        )


def secrets(spec: HostSpec) -> dict[str, str]:
    """The secrets that the host uses, with the file in which each is looked for."""
    names = {name for _, name in secret_references(spec)}
    return {name: secret_file(spec, f"secret:{name}") for name in sorted(names)}
