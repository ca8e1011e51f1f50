"""Rules about where datasets are mounted, and by whom."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from emily_infra.check.datasets import datasets
from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Severity
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.snapshots import is_within
from emily_infra.spec.storage import Dataset
from emily_infra.spec.topology import BOOT_PATHS, Mount, mounts, partitions

KERNEL_PATHS = ("/dev", "/proc", "/run", "/sys")
LINKS = ("/bin", "/usr/bin")
"""Folders in which NixOS puts sh and env, without which no script starts."""


def _tank(datasets: str) -> str:
    return f"storage:\n  pools:\n    tank:\n      datasets:\n{datasets}"


@host_rule(
    "STO007", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong=_tank("        photos: { mountpoint: /srv/home, snapshots: daily }\n"),
    right=_tank("        photos: { mountpoint: /srv/photos, snapshots: daily }\n"),
)  # fmt: skip
def a_mountpoint_has_two_owners(host: Host) -> Iterator[Problem]:
    """A mountpoint has two owners

    Whatever is mounted last hides the other, and programs write to the wrong one. Some paths are
    taken without a dataset: /boot by the partition of the boot loader, /tmp by a tmpfs, /run and
    all below it by what is made anew at every start, /bin and /usr/bin by the links that scripts
    begin with.
    """
    owners = _taken(host.spec)
    for mount in mounts(host.spec):
        owner = owners.get(mount.mountpoint) or _volatile(mount.mountpoint)
        if owner:
            message = f"{mount.mountpoint} belongs to {owner}; {mount.path} cannot have it too"
            hint = "choose another mountpoint for one of them"
            yield Problem((*mount.place, "mountpoint"), message, hint)
        owners.setdefault(mount.mountpoint, mount.path)


def _taken(spec: HostSpec) -> dict[str, str]:
    """What is mounted without a dataset."""
    loader = partitions(spec, "esp")
    boot = {"/boot": loader[0]} if loader else {}
    links = dict.fromkeys(LINKS, "NixOS, which keeps sh and env there")
    return boot | links | {"/tmp": "the tmpfs of system.memory.tmpfs"}  # noqa: S108 - a name


def _volatile(path: str) -> str | None:
    """What holds a path that is made anew at every start."""
    anew = any(is_within(path, top) for top in KERNEL_PATHS)
    return "the kernel and systemd, which make it anew at every start" if anew else None


@host_rule(
    "STO021", Severity.ERROR,
    wrong=_tank("        home: { needed_for_boot: true, mounted_by: zfs }\n"),
    right=_tank("        home: { needed_for_boot: true, mounted_by: nixos }\n"),
)  # fmt: skip
def a_dataset_contradicts_itself(host: Host) -> Iterator[Problem]:
    """Two settings of a dataset exclude each other

    What is needed for boot is mounted in the initrd, by NixOS, at a path: zfs mounts only later.
    The same holds for paths that NixOS itself needs, such as /nix and /var/lib. An owner is the
    owner of a mounted folder, so there must be one.
    """
    for at, _, _, dataset in datasets(host.spec):
        for key, message, hint in _contradictions(dataset):
            yield Problem((*at, key), message, hint)


def _contradictions(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    by_zfs = dataset.mounted_by == "zfs"
    if dataset.mountpoint is None:
        mount = "add a mountpoint, or remove it"
        if dataset.owner:
            yield "owner", "a dataset that is mounted nowhere has no folder to own", mount
        if dataset.needed_for_boot:
            yield "needed_for_boot", "needed for boot, but mounted nowhere", mount
    elif by_zfs and dataset.needed_for_boot:
        yield "mounted_by", "needed for boot, but zfs mounts after it", "write mounted_by: nixos"
    elif by_zfs and dataset.mountpoint in BOOT_PATHS:
        message = f"NixOS needs {dataset.mountpoint} in the initrd; zfs mounts later"
        yield "mounted_by", message, "write mounted_by: nixos"
    small = dataset.small_blocks_on_special
    if dataset.all_on_special and small is not None and small < dataset.recordsize:
        message = f"all on special, but of its blocks only those up to {small}"
        yield "small_blocks_on_special", message, "remove it, or all_on_special"


@host_rule(
    "STO022", Severity.WARNING,
    wrong=_tank("        photos:\n          mountpoint: /srv/home/photos\n"
                "          mounted_by: zfs\n          snapshots: daily\n"),
    right=_tank("        photos:\n          mountpoint: /srv/home/photos\n"
                "          mounted_by: nixos\n          snapshots: daily\n"),
)  # fmt: skip
def nested_mounts_of_two_owners(host: Host) -> Iterator[Problem]:
    """Of two nested mounts, NixOS makes one and zfs the other

    systemd orders its own mounts and `zfs mount -a` orders its own, but nothing orders the two
    against each other. When the outer one comes last it hides the inner one until the next boot,
    and the next boot may differ. Paths mounted in the initrd, such as /, are there before both.
    """
    by_path = {mount.mountpoint: mount for mount in mounts(host.spec)}
    for mount in by_path.values():
        outer = _outer(mount, by_path)
        if outer and outer.dataset.mounted_by != mount.dataset.mounted_by and not _first(outer):
            owners = f"{mount.dataset.mounted_by} mounts it, {outer.dataset.mounted_by} mounts"
            message = f"{owners} {outer.mountpoint} above it, in no fixed order"
            hint = f"write mounted_by: {outer.dataset.mounted_by}, or move it elsewhere"
            yield Problem(mount.place, message, hint)


def _outer(mount: Mount, by_path: dict[str, Mount]) -> Mount | None:
    """The nearest mount that a mount lies in."""
    above = (by_path.get(str(path)) for path in PurePosixPath(mount.mountpoint).parents)
    return next((outer for outer in above if outer), None)


def _first(mount: Mount) -> bool:
    return mount.at_boot and mount.dataset.mounted_by == "nixos"
