"""Disks, pools and datasets against those of host.yaml. What it does not name is left alone."""

from collections.abc import Iterator, Mapping

from emily_infra.observe.drift.difference import Difference
from emily_infra.observe.observation import Observation
from emily_infra.observe.pools import Dataset, Pool
from emily_infra.spec import storage as spec
from emily_infra.spec.host import Host
from emily_infra.spec.topology import mounts
from emily_infra.spec.units import Size, approximately
from emily_infra.zfs.commands import create_dataset
from emily_infra.zfs.properties import different, wanted

AREA = "storage"
_BY_ID = "/dev/disk/by-id/"
_LONGEST = 20
_TOLERANCE = 0.01
"""Of a disk's size: a label rounds."""


def differences(host: Host, seen: Observation) -> Iterator[Difference]:
    """Disks, then pools with their members, then datasets with their properties and mounts."""
    if seen.knows("links", "block_devices"):
        yield from _disks(host, seen)
    for name, pool in sorted(host.spec.storage.pools.items()):
        found = seen.pool(name)
        if found:
            yield from _members(host, pool, found, seen)
            yield from _datasets(pool, found)
        elif seen.knows("pools"):
            command = ("zpool", "import", "-d", _BY_ID.rstrip("/"), name)
            yield Difference(AREA, f"pool {name}", "imported", "not imported", command)
    yield from _mounts(host, seen)


def _disks(host: Host, seen: Observation) -> Iterator[Difference]:
    sizes = {name: disk.size for disk in seen.disks for name in disk.ids}
    for name, disk in sorted(host.spec.storage.disks.items()):
        where = f"disk {name}" + (f" in bay {disk.bay}" if disk.bay is not None else "")
        command = ("lsblk", "-o", "NAME,SIZE,SERIAL,MODEL")
        if name not in sizes:
            yield Difference(AREA, where, approximately(disk.size), "no such disk", command)
        elif abs(sizes[name] - int(disk.size)) > int(disk.size) * _TOLERANCE:
            wished, found = approximately(disk.size), approximately(sizes[name])
            yield Difference(AREA, where, wished, found, command)


def _members(host: Host, wished: spec.Pool, pool: Pool, seen: Observation) -> Iterator[Difference]:
    if not pool.told:
        return
    command = ("zpool", "status", "-P", pool.name)
    expected = _wished(wished)
    found: dict[str, str] = {}
    for leaf in pool.leaves:
        found[_member(leaf.path, host.spec.storage.disks, seen.device_names)] = leaf.role
    for name in sorted(expected.keys() | found.keys()):
        role, actual = expected.get(name), found.get(name)
        if role != actual and name:
            where = f"pool {pool.name}, {name}"
            yield Difference(AREA, where, _as(role), _as(actual), command)


def _as(role: str | None) -> str:
    return f"a member of {role}" if role else "no member"


def _wished(pool: spec.Pool) -> dict[str, str]:
    found: dict[str, str] = {name: role for role, _, vdev in pool.vdevs for name in vdev.disks}
    found |= dict.fromkeys(pool.cache, "cache")
    return found | dict.fromkeys(pool.spares, "spare")


def _member(path: str, disks: Mapping[str, spec.Disk], names: Mapping[str, tuple[str, ...]]) -> str:
    """The member's name in host.yaml, where it has one: a whole disk is partitioned by ZFS."""
    base = path.rpartition("/")[2]
    candidates = [base] if path.startswith(_BY_ID) else [*names.get(base, ()), base]
    for name in candidates:
        whole = name.removesuffix("-part1")
        if whole in disks and not disks[whole].partitions:
            return whole
        disk, _, number = name.rpartition("-part")
        if disk in disks and number in disks[disk].partitions:
            return name
    return candidates[0]


def _datasets(wished: spec.Pool, pool: Pool) -> Iterator[Difference]:
    if not pool.datasets:
        return
    found: dict[str, Dataset] = {each.name: each for each in pool.datasets}
    for below, dataset in sorted(wished.datasets.items()):
        path = f"{pool.name}/{below}"
        properties = wanted(dataset, wished)
        if path not in found:
            command = create_dataset(path, properties)
            yield Difference(AREA, f"dataset {path}", "there", "no such dataset", command)
            continue
        for name, (value, actual) in different(properties, found[path].values).items():
            command = ("zfs", "set", f"{name}={value}", path)
            where = f"{name} of {path}"
            yield Difference(AREA, where, _shown(name, value), _shown(name, actual), command)


def _shown(name: str, value: str) -> str:
    """Bytes with their unit."""
    if not value.isdigit() or len(value) > _LONGEST:
        return value
    return "none" if value == "0" and name in ("quota", "reservation") else str(Size(value))


def _mounts(host: Host, seen: Observation) -> Iterator[Difference]:
    if not seen.mounts:
        return
    devices = {place: device for device, place, _ in seen.mounts}
    for mount in mounts(host.spec):
        found = devices.get(mount.mountpoint)
        if found != mount.path:
            command = ("mount", mount.mountpoint)
            shown = found or "nothing is mounted there"
            yield Difference(AREA, mount.mountpoint, mount.path, shown, command)
