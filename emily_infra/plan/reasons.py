"""Why a unit is touched: the option, and with it the field, that its file was made from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from emily_infra.plan.model import Change, UnitAction, UnitChange
from emily_infra.plan.unitfile import Files
from emily_infra.plan.units import same_but_for_packages
from emily_infra.render.nix import attribute_name

OTHER_BUILD = "another build of its programs"
HAD_FAILED = "it had failed; a switch tries again"

_MADE_FROM: dict[str, tuple[str, ...]] = {
    "*-exporter.service": ("services.prometheus.exporters",),
    "*.mount": ("fileSystems",),
    "*.swap": ("swapDevices",),
    "alertmanager.service": ("services.prometheus.alertmanager",),
    "dev-zram*": ("zramSwap",),
    "grafana.service": ("services.grafana",),
    "nftables.service": ("networking.nftables", "networking.firewall"),
    "nix-daemon.*": ("nix.settings",),
    "nix-gc.*": ("nix.gc",),
    "prometheus.service": ("services.prometheus",),
    "samba-*.service": ("services.samba",),
    "sshd*.service": ("services.openssh", "users.users"),
    "systemd-journald.service": ("services.journald",),
    "systemd-modules-load.service": ("boot.kernelModules",),
    "systemd-networkd*.service": ("systemd.network", "networking"),
    "systemd-resolved.service": ("networking.nameservers", "services.resolved"),
    "systemd-sysctl.service": ("boot.kernel.sysctl",),
    "systemd-tmpfiles-*.service": ("systemd.tmpfiles",),
    "systemd-udevd.service": ("systemd.network.links", "services.udev"),
    "zfs-scrub.*": ("services.zfs.autoScrub",),
    "zpool-trim.*": ("services.zfs.trim",),
}
_SETS = {
    "automount": "systemd.automounts",
    "mount": "systemd.mounts",
    "path": "systemd.paths",
    "service": "systemd.services",
    "socket": "systemd.sockets",
    "target": "systemd.targets",
    "timer": "systemd.timers",
}


def explained(
    units: Iterable[UnitChange], changes: Sequence[Change], old: Files, new: Files
) -> Iterator[UnitChange]:
    """The same units with everything that is known about why."""
    for each in units:
        why = tuple(dict.fromkeys(_places(each.unit, changes)))
        if not why and each.unit in old and each.unit in new:
            if old[each.unit] == new[each.unit] and each.action is UnitAction.START:
                why = (HAD_FAILED,)
            elif same_but_for_packages(each.unit, old, new):
                why = (OTHER_BUILD,)
        yield replace(each, why=why)


def _places(unit: str, changes: Sequence[Change]) -> Iterator[str]:
    prefixes = _options(unit)
    for change in changes:
        for option in (option for file in change.files for option in file.options):
            if any(_below(option.option, prefix) for prefix in prefixes):
                yield from change.places
                break


def _below(option: str, prefix: str) -> bool:
    return option == prefix or option.startswith(f"{prefix}.")


def _options(unit: str) -> list[str]:
    """The options that a unit is made from."""
    name, _, kind = unit.rpartition(".")
    found = [f"{_SETS[kind]}.{attribute_name(name)}"] if kind in _SETS else []
    if kind == "timer":
        found.append(f"systemd.services.{attribute_name(name)}.startAt")
    for pattern, prefixes in _MADE_FROM.items():
        if fnmatchcase(unit, pattern):
            found += prefixes
    return found
