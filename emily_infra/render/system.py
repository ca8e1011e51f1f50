"""The system module: identity, people, SSH, sudo and Nix."""

from collections.abc import Mapping
from dataclasses import dataclass

from emily_infra.render.host_json import bare
from emily_infra.render.nix import Expression, attribute_name
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.system import Nix
from emily_infra.spec.topology import secret_file

_NIX_OWN_BUILD_DIR = "/nix/var/nix/builds"
_DAY = 86_400
_RECEIVE = "/run/current-system/sw/bin/emily-infra backup receive"


@dataclass(frozen=True, order=True)
class User:
    """An admin's account."""

    name: str
    keys: tuple[str, ...]
    password_file: str | None


def lower(host: Host) -> Mapping[str, object]:
    """What modules/system.nix.j2 prints."""
    system, deployer = host.spec.system, host.spec.deploy.user
    users = _users(host.spec)
    return {
        "host_name": host.name,
        "host_id": system.host_id,
        "state_version": system.state_version,
        "time_zone": system.time_zone,
        "locale": system.locales[0],
        "extra_locales": [f"{locale}/UTF-8" for locale in system.locales[1:]],
        "users": users,
        "root_keys": [key for user in users for key in user.keys] if deployer == "root" else [],
        "senders": _senders(host.spec),
        "root_login": _root_login(host.spec),
        "ssh_port": system.ssh.port,
        "ssh_users": _ssh_users(host.spec),
        "sudo_asks": system.sudo == "password",
        "sudo_never_asks": deployer if deployer != "root" and system.sudo == "password" else None,
        "trusted_users": _trusted(host.spec),
        "packages": _packages(system.packages),
        **_nix(system.nix),
    }


def _users(spec: HostSpec) -> list[User]:
    return sorted(
        User(name, admin.keys, secret_file(spec, admin.password) if admin.password else None)
        for name, admin in spec.system.admins.items()
    )


def _ssh_users(spec: HostSpec) -> list[str]:
    senders = ["root"] if spec.backup.receives else []
    return sorted({*spec.system.admins, spec.deploy.user, *senders})


def _root_login(spec: HostSpec) -> str:
    if spec.deploy.user == "root":
        return "prohibit-password"
    return "forced-commands-only" if spec.backup.receives else "no"


def _senders(spec: HostSpec) -> list[str]:
    """The keys of hosts that send their snapshots here, each bound to the one command."""
    return [
        f'restrict,command="{_RECEIVE} {name}" {bare(receive.key)} {name}'
        for name, receive in sorted(spec.backup.receives.items())
    ]


def _trusted(spec: HostSpec) -> list[str]:
    """Who may import unsigned paths beside root, whom NixOS itself enters."""
    named = dict.fromkeys((*spec.system.nix.trusted_users, spec.deploy.user))
    return [user for user in named if user != "root"]


def _nix(nix: Nix) -> Mapping[str, object]:
    return {
        "build_dir": nix.build_dir,
        "own_build_dir": nix.build_dir not in (None, _NIX_OWN_BUILD_DIR),
        "collect_garbage": nix.collect_garbage.on_calendar,
        "delete": f"--delete-older-than {max(1, -(-nix.keep.seconds // _DAY))}d",
    }


def _packages(names: tuple[str, ...]) -> list[Expression]:
    wanted = dict.fromkeys(("emily-infra", *names))
    return [Expression(f"pkgs.{'.'.join(map(attribute_name, n.split('.')))}") for n in wanted]
