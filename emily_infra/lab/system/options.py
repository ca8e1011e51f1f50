"""Every NixOS option that the lab has an answer to, and the answer. There is no third kind.

An option that stands in no line is an error of the build: the lab never drops one in silence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emily_infra.errors import EmilyError
from emily_infra.lab.system.merge import Path


class UnknownOption(EmilyError):
    """A module sets an option that the lab has no answer to."""

    code = "LAB044"


@dataclass(frozen=True)
class LeftOut:
    """An option that the lab does not play, and why."""

    option: str
    reason: str


@dataclass(frozen=True)
class Answers:
    """The options of one host by what becomes of them, as lines of the table."""

    exercised: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


_EXERCISED = """
boot.kernel.sysctl
boot.kernelModules
boot.loader.systemd-boot.configurationLimit
boot.loader.systemd-boot.editor
boot.loader.systemd-boot.enable
boot.supportedFilesystems
boot.tmp
boot.zfs.devNodes
boot.zfs.extraPools
environment.etc
environment.systemPackages
fileSystems
i18n.defaultLocale
networking.hostId
networking.hostName
networking.nameservers
networking.nftables.enable
networking.nftables.tables
networking.useDHCP
networking.useNetworkd
networking.wireguard.interfaces
networking.wireguard.useNetworkd
nix.gc.automatic
nix.gc.dates
nix.gc.options
nix.settings
security.sudo.extraRules
security.sudo.wheelNeedsPassword
services.journald.extraConfig
services.openssh.authorizedKeysInHomedir
services.openssh.enable
services.openssh.ports
services.openssh.settings
services.prometheus.alertmanager.configuration
services.prometheus.alertmanager.enable
services.prometheus.alertmanager.extraFlags
services.prometheus.alertmanager.listenAddress
services.prometheus.alertmanager.port
services.prometheus.alertmanagers
services.prometheus.enable
services.prometheus.exporters.node.enable
services.prometheus.exporters.node.disabledCollectors
services.prometheus.exporters.node.enabledCollectors
services.prometheus.exporters.node.extraFlags
services.prometheus.exporters.node.listenAddress
services.prometheus.exporters.node.port
services.prometheus.globalConfig
services.prometheus.listenAddress
services.prometheus.port
services.prometheus.retentionTime
services.prometheus.rules
services.prometheus.scrapeConfigs
services.samba.enable
services.samba.settings
services.zfs.autoScrub.enable
services.zfs.autoScrub.interval
services.zfs.autoScrub.pools
services.zfs.trim.enable
services.zfs.trim.interval
services.zfs.zed.settings
system.stateVersion
system.switch.inhibitors
systemd.enableEmergencyMode
systemd.mounts
systemd.network.links
systemd.network.netdevs
systemd.network.networks
systemd.network.wait-online.anyInterface
systemd.paths
systemd.services
systemd.settings.Manager
systemd.slices
systemd.sockets
systemd.targets
systemd.timers
systemd.tmpfiles.rules
systemd.tmpfiles.settings
time.timeZone
users.groups
users.users
"""

_OWN_KERNEL = "QEMU starts the lab's own kernel and initrd, with its own kernel line"
_HARDWARE = "the lab has no such hardware"
_OWN_FIREWALL = "the table emily is the whole firewall; NixOS's own is off"
_NOT_IN_DEBIAN = "Debian has no such package, so its units are left out with it"
_OWN_DISK = "the lab runs from a disk of its own"

_LEFT_OUT: dict[str, str] = {
    "boot.initrd": _OWN_KERNEL,
    "boot.kernelPackages": _OWN_KERNEL,
    "boot.kernelParams": f"{_OWN_KERNEL}; they stand in the boot entry only",
    "boot.extraModulePackages": _OWN_KERNEL,
    "boot.loader.efi": "the lab's firmware has no variables; /boot is a small disk of its own",
    "boot.loader.systemd-boot.extraInstallCommands": "the lab has one boot disk to install to",
    "boot.loader.timeout": "the lab boots the default entry at once",
    "boot.zfs.forceImportAll": "the lab never forces an import",
    "boot.zfs.forceImportRoot": _OWN_DISK,
    "hardware": _HARDWARE,
    "i18n.extraLocales": "the lab's image has the locales of Debian's C.UTF-8 only",
    "imports": "the lab has no nixpkgs to take a module from",
    "networking.firewall": _OWN_FIREWALL,
    "nixpkgs": "the lab's programs are Debian's",
    "powerManagement": _HARDWARE,
    "security.sudo.execWheelOnly": "NixOS does it by the mode of its sudo wrapper",
    "services.fwupd": _HARDWARE,
    "services.grafana": _NOT_IN_DEBIAN,
    "services.openssh.openFirewall": _OWN_FIREWALL,
    "services.prometheus.alertmanager.openFirewall": _OWN_FIREWALL,
    "services.prometheus.exporters.node.openFirewall": _OWN_FIREWALL,
    "services.prometheus.exporters.smartctl": "virtual disks have no SMART data",
    "services.prometheus.exporters.systemd": _NOT_IN_DEBIAN,
    "services.prometheus.exporters.wireguard": _NOT_IN_DEBIAN,
    "services.prometheus.exporters.zfs": _NOT_IN_DEBIAN,
    "services.samba.nmbd": "never part of what emily-infra renders",
    "services.samba.openFirewall": _OWN_FIREWALL,
    "services.samba.winbindd": "never part of what emily-infra renders",
    "swapDevices": _OWN_DISK,
    "systemd.services.grafana": _NOT_IN_DEBIAN,
    "systemd.services.prometheus-smartctl-exporter": "virtual disks have no SMART data",
    "systemd.services.prometheus-systemd-exporter": _NOT_IN_DEBIAN,
    "systemd.services.prometheus-wireguard-exporter": _NOT_IN_DEBIAN,
    "systemd.services.prometheus-zfs-exporter": _NOT_IN_DEBIAN,
    "users.mutableUsers": "accounts that nobody describes stay, because Debian's are among them",
    "zramSwap": "an emulated processor would be busy compressing",
}

TABLE: Mapping[str, str | None] = {**dict.fromkeys(_EXERCISED.split()), **_LEFT_OUT}
"""Option -> why it is left out; nothing means that it is played. The longest line counts."""

_LINES = {
    ("services", "journald", "extraConfig"),
    ("networking", "nftables", "tables", "*", "content"),
    ("environment", "etc", "*", "text"),
    ("boot", "loader", "systemd-boot", "extraInstallCommands"),
    *(("systemd", "services", "*", name) for name in
      ("script", "preStart", "postStart", "preStop", "postStop", "reload")),
}  # fmt: skip


def is_lines(path: Path) -> bool:
    """Whether NixOS joins the texts that several modules give an option."""
    return any(
        len(path) == len(pattern)
        and all(part in ("*", key) for part, key in zip(pattern, path, strict=True))
        for pattern in _LINES
    )


def answers(values: Mapping[str, object], aside: Mapping[str, str]) -> Answers:
    """What becomes of each option of a configuration; `aside` is left out beside the table."""
    lines = sorted(set(_lines(values, ())))
    played = tuple(line for line in lines if TABLE[line] is None)
    dropped = [LeftOut(line, reason) for line in lines if (reason := TABLE[line])]
    dropped += [LeftOut(name, reason) for name, reason in sorted(aside.items())]
    return Answers(played, tuple(dropped))


def without_left_out(values: Mapping[str, object], place: Path = ()) -> dict[str, object]:
    """A configuration without the options that the lab does not play."""
    kept: dict[str, object] = {}
    for key, value in values.items():
        path = (*place, key)
        if TABLE.get(".".join(path)) is None:
            kept[key] = without_left_out(value, path) if isinstance(value, dict) else value
    return kept


def _lines(value: object, path: Path) -> Iterator[str]:
    line = ".".join(path)
    if line in TABLE and not any(other.startswith(f"{line}.") for other in TABLE):
        yield line
    elif isinstance(value, Mapping) and value and (not path or _leads_on(line)):
        for key, below in value.items():
            yield from _lines(below, (*path, key))
    elif (known := _longest(path)) is not None:
        yield known
    else:
        raise UnknownOption(
            f"{line} is set, and the lab has no answer to it",
            hint="the lab plays what emily-infra renders; take it out of hardware.nix for the lab, "
            "or add a line for it to emily_infra/lab/system/options.py",
        )


def _leads_on(line: str) -> bool:
    return any(other.startswith(f"{line}.") for other in TABLE)


def _longest(path: Path) -> str | None:
    for length in range(len(path), 0, -1):
        if (line := ".".join(path[:length])) in TABLE:
            return line
    return None
