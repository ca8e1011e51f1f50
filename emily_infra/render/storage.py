"""The storage module: pools, mounts, swap, scrub and trim, and who owns the mounted folders."""

from collections.abc import Mapping
from dataclasses import dataclass

from emily_infra.render.properties import settled
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.topology import Mount, datasets, mounts, partitions
from emily_infra.zfs.members import member

BY_ID = "/dev/disk/by-id"


@dataclass(frozen=True)
class FileSystem:
    """An entry of `fileSystems`."""

    path: str
    device: str
    kind: str
    options: tuple[str, ...]
    needed_for_boot: bool = False


@dataclass(frozen=True)
class OwnerUnit:
    """A unit that gives a mounted folder to its owner."""

    name: str
    description: str
    path: str
    after: tuple[str, ...]
    command: str


def lower(host: Host) -> Mapping[str, object] | None:
    """What modules/storage.nix.j2 prints, or nothing where the host has no such part."""
    spec = host.spec
    context: dict[str, object] = {
        "file_systems": file_systems(spec),
        "swap": [f"{BY_ID}/{device}" for device in partitions(spec, "swap")],
    }
    if not any(context.values()) and not spec.storage.pools:
        return None
    return context | {
        "pools": sorted(spec.storage.pools),
        "dev_nodes": BY_ID,
        "extra_pools": extra_pools(spec),
        "kernel_params": [f"zfs.zfs_arc_max={int(spec.system.memory.arc)}"],
        "scrub": spec.storage.scrub.on_calendar,
        "trim": trim(spec),
        "owners": owners(spec),
        "properties": settled(spec),
    }


def file_systems(spec: HostSpec) -> list[FileSystem]:
    """The boot partition and every dataset that NixOS mounts, by path."""
    loader = partitions(spec, "esp")[:1]
    found = [
        FileSystem("/boot", f"{BY_ID}/{device}", "vfat", ("umask=0077", "nofail"))
        for device in loader
    ]
    found += [_dataset(mount) for mount in mounts(spec) if mount.dataset.mounted_by == "nixos"]
    return sorted(found, key=lambda entry: entry.path)


def _dataset(mount: Mount) -> FileSystem:
    options = () if mount.at_boot else ("nofail",)
    return FileSystem(mount.mountpoint, mount.path, "zfs", options, mount.dataset.needed_for_boot)


def extra_pools(spec: HostSpec) -> list[str]:
    """The pools that no entry of `fileSystems` would import, or not early enough for zfs mount."""
    by_nixos = {mount.pool for mount in mounts(spec) if mount.dataset.mounted_by == "nixos"}
    by_zfs = {mount.pool for mount in mounts(spec) if mount.dataset.mounted_by == "zfs"}
    return sorted(by_zfs | (set(spec.storage.pools) - by_nixos))


def trim(spec: HostSpec) -> str | None:
    """When the pools are trimmed: never where no pool has an SSD."""
    disks = spec.storage.disks
    names = (
        name
        for pool in spec.storage.pools.values()
        for name in (*(name for _, _, vdev in pool.vdevs for name in vdev.disks), *pool.cache)
    )
    found = (member(name, disks) for name in names)
    has_ssd = any(each and disks[each.disk].media == "ssd" for each in found)
    return spec.storage.trim.on_calendar if spec.storage.trim and has_ssd else None


def owners(spec: HostSpec) -> list[OwnerUnit]:
    """A unit for every dataset that says who owns it, by name."""
    found = datasets(spec).items()
    return [
        _owner_unit(Mount(dataset.mountpoint, path, pool, dataset))
        for path, (pool, dataset) in found
        if dataset.mountpoint and dataset.owner
    ]


def _owner_unit(mount: Mount) -> OwnerUnit:
    owner = mount.dataset.owner
    assert owner, "only datasets with an owner come here"
    command = f"install -d -o {owner.user} -g {owner.group} -m {owner.mode} {mount.mountpoint}"
    after = ("zfs-mount.service",) if mount.dataset.mounted_by == "zfs" else ()
    return OwnerUnit(
        name=f"dataset-owner-{escaped(mount.path)}",
        description=f"Give {mount.mountpoint} to {owner.user}",
        path=mount.mountpoint,
        after=after,
        command=command,
    )


def escaped(path: str) -> str:
    r"""A dataset's path in a unit name: / becomes -, and - becomes \x2d (systemd.unit(5))."""
    return path.replace("-", r"\x2d").replace("/", "-")
