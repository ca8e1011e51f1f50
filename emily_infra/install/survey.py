"""What a look at a machine means for an installation: may it be done, what is left of it? Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from emily_infra.disks.blank import Guard, Report, number_of
from emily_infra.disks.known import known_pools
from emily_infra.disks.partitions import stamp
from emily_infra.disks.places import Members
from emily_infra.findings import Finding
from emily_infra.install.faults import Lacks, NotAnInstaller, TooNew
from emily_infra.install.layout import ROOT, boot_places, place, pools_in_order
from emily_infra.observe import Observation, Question
from emily_infra.observe.disks import Disk, Examined
from emily_infra.render.storage import BY_ID, file_systems
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.topology import partitions
from emily_infra.storage.create import (
    Survey,
    asleep,
    findings_of,
    reading,
    survey,
    unlocked,
)
from emily_infra.zfs.commands import Command

PROGRAMS = {
    "zpool": "OpenZFS's programs", "zfs": "OpenZFS's programs", "zdb": "OpenZFS's programs",
    "nix-store": "Nix", "nix-daemon": "Nix",
    "nixos-install": "the NixOS installer's tools (nix-env -f '<nixpkgs>' -iA nixos-install-tools)",
    "sfdisk": "util-linux", "wipefs": "util-linux", "mkswap": "util-linux", "udevadm": "systemd",
    "mkfs.vfat": "dosfstools", "modprobe": "kmod",
}  # fmt: skip
"""What is run on the machine, and what it comes with."""
_LIVE = frozenset({"aufs", "overlay", "overlayfs", "ramfs", "rootfs", "squashfs", "tmpfs"})
_VERSION = re.compile(r"(\d+)\.(\d+)")
_ZFS = re.compile(r"-zfs-(?:user-|kernel-)?(\d+\.\d+)")


class Standing(Enum):
    """How far a pool has come."""

    NEW = "to be created"
    ASLEEP = "there, to be imported"
    OPEN = "there, imported"


@dataclass(frozen=True)
class PoolFound:
    """A pool of host.yaml on this machine."""

    name: str
    standing: Standing
    reports: tuple[Report, ...] = ()
    datasets: tuple[Command, ...] = ()
    """What it lacks, as far as that can be known before it is imported."""
    used_by: str = ""
    """Which system used it last, where it is yet to be imported."""


@dataclass(frozen=True)
class Ground:
    """The machine as an installation finds it."""

    boot: tuple[Report, ...]
    """The disks with boot or swap partitions."""
    to_format: Mapping[str, tuple[str, ...]]
    """Numbers of their partitions that are still to be formatted, by disk."""
    pools: tuple[PoolFound, ...]
    mounted: frozenset[str]
    """Places below ROOT at which already lies what belongs there."""
    zfs: str
    """The version of the machine's ZFS."""
    findings: tuple[Finding, ...] = ()

    @property
    def reports(self) -> tuple[Report, ...]:
        """Every disk once; one whose partitions are used twice with all that stands against it."""
        found: dict[str, Report] = {}
        for each in (*self.boot, *(r for pool in self.pools for r in pool.reports)):
            known = found.get(each.place.disk)
            both = (*known.objections, *each.objections) if known else each.objections
            found[each.place.disk] = replace(each, objections=tuple(dict.fromkeys(both)))
        return tuple(found[disk] for disk in sorted(found))


def question(spec: HostSpec) -> Question:
    """Everything at once: all disks read for what is on them."""
    return replace(reading(spec.storage, sorted(spec.storage.disks)), programs=tuple(PROGRAMS))


def ground(host: Host, seen: Observation) -> Ground:
    """What a look means; an error where the machine itself stands against it."""
    idle(host, seen)
    able(host, seen)
    unlocked(host.name, seen)
    for pool in host.spec.storage.pools:
        known_pools(host.name, seen)
        _ours(host, pool, seen)
    reports = boot_reports(host, seen)
    found = tuple(_pool(host, name, seen) for name in pools_in_order(host.spec))
    against = [*findings_of(host, reports), *(f for _, findings in found for f in findings)]
    return Ground(
        boot=reports,
        to_format={r.place.disk: unformatted(r, seen) for r in reports},
        pools=tuple(each for each, _ in found),
        mounted=_mounted(host.spec, seen),
        zfs=seen.ready.zfs,
        findings=tuple(dict.fromkeys(against)),
    )


def idle(host: Host, seen: Observation) -> None:
    """NotAnInstaller, where a system is at work that somebody may need."""
    kind = next((kind for _, path, kind in reversed(seen.mounts) if path == "/"), "")
    if seen.identity.is_nixos and kind not in _LIVE:
        raise NotAnInstaller(
            f"{seen.identity.hostname} runs NixOS from a disk ({kind or 'unknown'} on /), so it is "
            "no installer: this may be the host itself, at work",
            hint=f"to change a host that runs: emily-infra apply {host.name}; to install it anew, "
            "boot the NixOS installer there",
        )
    for pool in seen.pools:
        if pool.name not in host.spec.storage.pools:
            raise NotAnInstaller(
                f"pool {pool.name} is imported on {seen.identity.hostname}, which is to take "
                f"on the hostid of {host.name}: {pool.name} would be marked with it too",
                hint=f"if nobody needs it now: zpool export {pool.name}; else use another medium",
            )
        altroot = pool.properties.get("altroot")
        if altroot is None or altroot.value != ROOT:
            raise NotAnInstaller(
                f"pool {pool.name} is imported on {seen.identity.hostname}, and not below "
                f"{ROOT}: somebody uses it",
                hint=f"find out who; if it is not needed: zpool export {pool.name}",
            )
    _free(host, seen)


def _free(host: Host, seen: Observation) -> None:
    """NotAnInstaller, where something else is mounted below ROOT."""
    ours = _mounted(host.spec, seen)
    others = [
        f"{device} on {path}"
        for device, path, _ in seen.mounts
        if (path == ROOT or path.startswith(f"{ROOT}/")) and path not in ours
    ]
    if others:
        raise NotAnInstaller(
            f"{ROOT} is where the new system goes, and it is taken: {', '.join(others)}",
            hint=f"look at it; then: umount -R {ROOT}",
        )


def able(host: Host, seen: Observation) -> None:
    """Lacks, with everything that is missing at once."""
    ready, lacking = seen.ready, []
    by_source: dict[str, list[str]] = {}
    for program, source in PROGRAMS.items():
        if program not in ready.programs:
            by_source.setdefault(source, []).append(program)
    lacking += [f"{', '.join(names)}: install {source}" for source, names in by_source.items()]
    if not ready.zfs:
        lacking.append("the kernel's module zfs: boot an installer that has it, or build it there")
    if not ready.efi:
        lacking.append(
            "UEFI: it was started by a BIOS, and systemd-boot would never be found; boot the "
            "medium again as UEFI (firmware setup)"
        )
    if lacking:
        text = "".join(f"\n  {line}" for line in lacking)
        raise Lacks(
            f"{seen.identity.hostname or host.name} lacks what an installation takes:{text}",
            hint="the NixOS installer, booted as UEFI, has all of it",
        )


def old_enough(host: Host, found: Ground, paths: Iterable[str]) -> None:
    """TooNew, where a pool made here could have features that the host's own ZFS lacks."""
    there = _VERSION.match(found.zfs)
    if all(pool.standing is not Standing.NEW for pool in found.pools):
        return
    own = [_VERSION.match(name[1]) for path in paths if (name := _ZFS.search(path))]
    versions = [(int(each[1]), int(each[2])) for each in own if each]
    if there and versions and (int(there[1]), int(there[2])) > max(versions):
        wanted = ".".join(map(str, max(versions)))
        raise TooNew(
            f"the installer has OpenZFS {found.zfs.partition('-')[0]}, {host.name} will run "
            f"{wanted}: pools that are made here might not open there",
            hint=f"boot an installer of the NixOS release that {host.name} runs",
        )


def _ours(host: Host, pool: str, seen: Observation) -> None:
    """NotAnInstaller, where another system was the last to use a pool, and has not let go of it."""
    for disk, label in asleep(pool, seen):
        foreign = label.hostid != host.spec.system.host_id
        if label.state == "active" and foreign and not seen.pool(pool):
            who = label.hostname or "somebody"
            raise NotAnInstaller(
                f"{disk} holds a pool {pool} that {who} (hostid {label.hostid or '?'}) has used "
                f"and not exported; {host.name} has the hostid {host.spec.system.host_id}",
                hint=f"make sure that {who} does not use it any more; then there, or here: "
                f"zpool import -N -f -d {BY_ID} {pool} && zpool export {pool}",
            )


def boot_reports(host: Host, seen: Observation, *only: str) -> tuple[Report, ...]:
    """The disks with boot and swap partitions, of which those that we made count as blank."""
    cleared = _without_ours(host.spec, seen)
    places = tuple(each for each in boot_places(host.spec) if not only or each.disk in only)
    return Guard(cleared, Members(host.spec.storage, cleared), places).reports()


def _pool(host: Host, name: str, seen: Observation) -> tuple[PoolFound, tuple[Finding, ...]]:
    if not seen.pool(name) and (label := next(asleep(name, seen), None)):
        return PoolFound(name, Standing.ASLEEP, used_by=label[1].hostname), ()
    found: Survey = survey(host, name, seen)
    standing = Standing.OPEN if found.exists else Standing.NEW
    return PoolFound(name, standing, found.reports, found.datasets), found.findings


def _without_ours(spec: HostSpec, seen: Observation) -> Observation:
    """The same look, in which partitions that this program has formatted count as blank."""
    return replace(
        seen,
        examined=tuple(_cleared(spec, each) for each in seen.examined),
        disks=tuple(_unmounted(spec, disk, seen) for disk in seen.disks),
    )


def _cleared(spec: HostSpec, examined: Examined) -> Examined:
    own = {device for device in examined.devices if _made_here(spec, examined, device)}
    return replace(
        examined,
        signatures=tuple(s for s in examined.signatures if _full(s.device) not in own),
        written=tuple(device for device in examined.written if device not in own),
    )


def _made_here(spec: HostSpec, examined: Examined, device: str) -> bool:
    """Whether a partition carries what this program makes on it, and nothing else."""
    body, number = spec.storage.disks.get(examined.id), number_of(device)
    partition = body.partitions.get(number) if body and device != examined.devices[0] else None
    marks = [each for each in examined.signatures if _full(each.device) == device]
    if partition is None or not marks:
        return False
    if partition.use == "swap":
        return {each.kind for each in marks} == {"swap"}
    own = stamp(examined.id, number)
    named = {each.uuid.replace("-", "").upper() for each in marks}
    return partition.use == "esp" and {e.kind for e in marks} == {"vfat"} and named == {own}


def _unmounted(spec: HostSpec, disk: Disk, seen: Observation) -> Disk:
    """A disk whose boot partition may be mounted where it belongs."""
    loader = {*partitions(spec, "esp")[:1]}
    parts = tuple(
        replace(p, content=replace(p.content, mounts=_others(p.content.mounts)))
        if loader & {*seen.device_names.get(p.name, ())}
        else p
        for p in disk.parts
    )
    return replace(disk, parts=parts)


def _others(mounts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in mounts if each != f"{ROOT}/boot")


def unformatted(report: Report, seen: Observation) -> tuple[str, ...]:
    """What is to be formatted once the table is there; all of it, where it is not there yet."""
    if report.to_partition:
        return report.place.numbers
    examined = next((each for each in seen.examined if each.id == report.place.disk), None)
    if not examined or report.objections:
        return ()
    used = {number_of(each.device) for each in examined.signatures
            if _full(each.device) != examined.devices[0]}  # fmt: skip
    return tuple(number for number in report.place.numbers if number not in used)


def _mounted(spec: HostSpec, seen: Observation) -> frozenset[str]:
    """The places below ROOT at which already lies what belongs there."""
    return frozenset(
        place(entry)
        for entry in file_systems(spec)
        for device, path, kind in seen.mounts
        if path == place(entry) and kind == entry.kind and _same(entry.device, device, seen)
    )


def _same(wanted: str, device: str, seen: Observation) -> bool:
    names = seen.device_names.get(device.removeprefix("/dev/"), ())
    return device == wanted or wanted in {f"{BY_ID}/{name}" for name in names}


def _full(device: str) -> str:
    return device if device.startswith("/") else f"/dev/{device}"
