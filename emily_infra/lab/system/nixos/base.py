"""What every NixOS has beside its services: kernel settings, folders, names, the journal."""

import hashlib
from collections.abc import Iterator

from emily_infra.lab.system.config import Config, Values
from emily_infra.lab.system.tree import package
from emily_infra.lab.system.units import section

_TMP = "/tmp"  # noqa: S108
_SYSCTL: Values = {
    "fs.inotify.max_user_instances": 524288,
    "fs.inotify.max_user_watches": 524288,
    "kernel.kptr_restrict": 1,
    "vm.max_map_count": 1048576,
}

_NIX_SOCKET: Values = {
    "description": "Nix Daemon Socket",
    "before": ["multi-user.target"],
    "wantedBy": ["sockets.target"],
    "listenStreams": ["/nix/var/nix/daemon-socket/socket"],
}


def early(config: Config) -> Values:
    """Services that other lowerings see, such as the collection of garbage."""
    return {"systemd": {"services": _garbage(config)}}


def lower(config: Config) -> Values:
    """Files of /etc, and the units that NixOS restarts when one of them changes."""
    etc = dict(_etc(config))
    modules = etc["modules-load.d/nixos.conf"]
    tmpfiles = "".join(text for name, text in etc.items() if name.startswith("tmpfiles.d/"))
    return {
        "environment": {"etc": {name: {"text": text} for name, text in etc.items()}},
        "systemd": {
            "targets": _targets(config),
            "mounts": _tmp(config),
            "timers": _start_at(config),
            "sockets": {"nix-daemon": _NIX_SOCKET},
            "services": {
                **_emergency(config),
                "systemd-sysctl": {
                    "wantedBy": ["multi-user.target"],
                    "restartTriggers": [etc["sysctl.d/60-nixos.conf"]],
                },
                "systemd-modules-load": {
                    "wantedBy": ["multi-user.target"],
                    "restartTriggers": [modules],
                },
                "systemd-journald": {
                    "stopIfChanged": False,
                    "restartTriggers": [etc["systemd/journald.conf"]],
                },
                "systemd-tmpfiles-resetup": _resetup(tmpfiles),
                "nix-daemon": _nix_daemon(etc["nix/nix.conf"]),
            },
        },
    }


def host_id(config: Config) -> bytes:
    """/etc/hostid as the kernel's ZFS reads it: four bytes, the least significant first."""
    return int(config.text("networking", "hostId", default="0"), 16).to_bytes(4, "little")


def _targets(config: Config) -> Values:
    targets: Values = {
        "sysinit-reactivation": {"description": "Reactivate sysinit units"},
        "local-fs": {"unitConfig": {"X-StopOnReconfiguration": True}},
        "remote-fs": {"unitConfig": {"X-StopOnReconfiguration": True}},
    }
    if not config.flag("systemd", "enableEmergencyMode", default=True):
        targets["emergency"] = {"enable": False}
    return targets


def _emergency(config: Config) -> Values:
    if config.flag("systemd", "enableEmergencyMode", default=True):
        return {}
    return {"emergency": {"enable": False}}


def _etc(config: Config) -> Iterator[tuple[str, str]]:
    name = config.text("networking", "hostName", default="nixos")
    yield "hostname", f"{name}\n"
    yield "hosts", f"127.0.0.1 localhost\n::1 localhost\n127.0.0.2 {name}\n"
    servers = config.texts("networking", "nameservers")
    yield "resolv.conf", "".join(f"nameserver {server}\n" for server in servers)
    yield "timezone", f"{config.text('time', 'timeZone', default='UTC')}\n"
    yield "locale.conf", f"LANG={config.text('i18n', 'defaultLocale', default='en_US.UTF-8')}\n"
    manager = config.below("systemd", "settings", "Manager").values
    yield "systemd/system.conf", f"[Manager]\n{section(manager)}"
    journal = config.text("services", "journald", "extraConfig")
    yield "systemd/journald.conf", f"[Journal]\nStorage=persistent\n{journal}\n"
    modules = config.texts("boot", "kernelModules")
    yield "modules-load.d/nixos.conf", "".join(f"{module}\n" for module in modules)
    sysctl = _SYSCTL | dict(config.below("boot", "kernel", "sysctl").values)
    yield (
        "sysctl.d/60-nixos.conf",
        "".join(
            f"{key}={_number(value)}\n"
            for key, value in sorted(sysctl.items())
            if value is not None
        ),
    )
    yield from _tmpfiles(config)
    yield "nix/nix.conf", _nix(config)
    yield "sudoers", "".join(_sudo(config))


def _number(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _tmpfiles(config: Config) -> Iterator[tuple[str, str]]:
    rules = ["d /run/lock 0755 root root - -", *config.texts("systemd", "tmpfiles", "rules")]
    if config.flag("boot", "tmp", "cleanOnBoot"):
        rules.append("D! /tmp 1777 root root")
    yield "tmpfiles.d/00-nixos.conf", "".join(f"{rule}\n" for rule in rules)
    for name, paths in config.named("systemd", "tmpfiles", "settings"):
        yield (
            f"tmpfiles.d/{name}.conf",
            "".join(
                f"'{kind}' '{path}' {_fields(options)} {_escaped(options.text('argument'))}\n"
                for path, kinds in paths.named()
                for kind, options in kinds.named()
            ),
        )


def _fields(options: Config) -> str:
    return " ".join(
        f"'{options.text(field, default='-')}'" for field in ("mode", "user", "group", "age")
    )


def _escaped(argument: str) -> str:
    return "".join(f"\\x{ord(c):02X}" if c in "\t\n\r \\" else c for c in argument)


def _nix(config: Config) -> str:
    settings: Values = {
        "build-users-group": "",
        "require-sigs": True,
        "sandbox": False,
        "trusted-users": ["root"],
    } | dict(config.below("nix", "settings").values)
    return "".join(f"{key} = {_setting(settings[key])}\n" for key in sorted(settings))


def _setting(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(_setting, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sudo(config: Config) -> Iterator[str]:
    options = config.below("security", "sudo")
    yield "Defaults env_keep+=NIXOS_NO_CHECK\n"
    yield 'Defaults secure_path="/run/current-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin"\n'
    yield "root ALL=(ALL:ALL) SETENV: ALL\n"
    free = "" if options.flag("wheelNeedsPassword", default=True) else "NOPASSWD:"
    yield f"%wheel ALL=(ALL:ALL) {free}SETENV: ALL\n"
    rules = options.at("extraRules")
    for rule in map(Config, rules if isinstance(rules, list) else []):
        commands = rule.at("commands")
        for command in map(Config, commands if isinstance(commands, list) else []):
            tags = "".join(f"{tag}:" for tag in command.texts("options"))
            for user in rule.texts("users"):
                yield f"{user} ALL=(ALL:ALL) {tags} {command.text('command')}\n"


def _tmp(config: Config) -> Values:
    if not config.flag("boot", "tmp", "useTmpfs"):
        return {}
    size = config.text("boot", "tmp", "tmpfsSize", default="50%")
    options = f"mode=1777,strictatime,rw,nosuid,nodev,size={size}"
    return {
        "tmp": {
            "wantedBy": ["local-fs.target"],
            "mountConfig": {"What": "tmpfs", "Where": _TMP, "Type": "tmpfs", "Options": options},
        }
    }


def _resetup(tmpfiles: str) -> Values:
    return {
        "description": "Re-setup tmpfiles on a system that is already running.",
        "after": ["local-fs.target", "systemd-sysusers.service", "systemd-journald.service"],
        "before": ["sysinit-reactivation.target", "shutdown.target"],
        "conflicts": ["shutdown.target"],
        "requiredBy": ["sysinit-reactivation.target"],
        "restartTriggers": [hashlib.sha256(tmpfiles.encode()).hexdigest()],
        "unitConfig": {"DefaultDependencies": False},
        "serviceConfig": {
            "Type": "oneshot",
            "RemainAfterExit": True,
            "ExecStart": "systemd-tmpfiles --create --remove --exclude-prefix=/dev",
            "SuccessExitStatus": "DATAERR CANTCREAT",
        },
    }


def _nix_daemon(settings: str) -> Values:
    """For whoever is not root, such as another user who deploys."""
    return {
        "description": "Nix Daemon",
        "restartTriggers": [settings],
        "stopIfChanged": False,
        "path": [package("nix"), package("util-linux"), package("openssh")],
        "serviceConfig": {
            "ExecStart": f"{package('nix')}/bin/nix-daemon --daemon",
            "KillMode": "process",
            "LimitNOFILE": 1048576,
        },
    }


def _garbage(config: Config) -> Values:
    options = config.below("nix", "gc")
    if not options.flag("automatic"):
        return {}
    command = f"{package('nix')}/bin/nix-collect-garbage {options.text('options')}"
    return {
        "nix-gc": {
            "description": "Nix Garbage Collector",
            "script": f"exec {command}\n",
            "serviceConfig": {"Type": "oneshot"},
            "startAt": options.texts("dates"),
        }
    }


def _start_at(config: Config) -> Values:
    return {
        name: {"wantedBy": ["timers.target"], "timerConfig": {"OnCalendar": times}}
        for name, options in config.named("systemd", "services")
        if (times := options.texts("startAt"))
    }
