"""Snapshots, off-site copies, their upkeep and the drills, as systemd units and host.json."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from emily_infra.render.nix import Expression, Lines
from emily_infra.render.units import hardened
from emily_infra.spec.backup import Repository
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.snapshots import NAME_FORMAT, copied_to, policy_of, subsets
from emily_infra.spec.topology import datasets, secret_file
from emily_infra.spec.units import Calendar

STATE = "/var/lib/emily"
METRICS = f"{STATE}/metrics"
CACHE = "/var/cache/emily"
RUNTIME = "/run/emily"

_SNAPSHOT = "emily-snapshot.service"
_READ = ("CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN")
_RESTORE = (*_READ, "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID")
_REMOTE = ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK")
_TOOLS = {"rclone": Expression("pkgs.rclone"), "sftp": Expression("pkgs.openssh")}
_DESCRIPTIONS = {
    "offsite": "Copy the newest snapshots off-site",
    "prune": "Remove forgotten data from the repository",
    "verify": "Read back a share of the repository",
    "drill": "Restore real files and compare them",
}


@dataclass(frozen=True)
class Unit:
    """A service that works on repositories, with its timer."""

    verb: str
    name: str
    calendar: str
    repositories: dict[str, Repository]
    credentials: list[str]
    after: list[str] = field(default_factory=list)
    capabilities: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """What it does."""
        return _DESCRIPTIONS[self.verb]

    @property
    def arguments(self) -> str:
        """The command's own words."""
        return self.name.removeprefix("emily-").replace("-", " ", 1)

    @property
    def bounds(self) -> str:
        """The capabilities that are left of root's."""
        return " ".join(sorted(self.capabilities))

    @property
    def folders(self) -> list[str]:
        """The repositories that are folders of this host."""
        return [entry.repository for entry in self.repositories.values() if entry.is_local]

    @property
    def wants(self) -> list[str]:
        """What is started with it: the network, where it is needed, and a fresh snapshot."""
        remote = any(not entry.is_local for entry in self.repositories.values())
        online = ["network-online.target"] if remote else []
        return online + [unit for unit in self.after if unit == _SNAPSHOT]

    @property
    def order(self) -> list[str]:
        """What it starts after."""
        pools = ["zfs.target"] if self.capabilities else []
        return list(dict.fromkeys([*pools, *self.wants, *self.after]))


def lower(host: Host) -> Mapping[str, object] | None:
    """What modules/backup.nix.j2 prints, or nothing where nothing is kept."""
    spec = host.spec
    snapshot = _snapshot_calendar(spec)
    if not snapshot and not spec.backup.offsite:
        return None
    repositories = list(spec.backup.offsite.values())
    schemes = sorted({repository.scheme for repository in repositories})
    return {
        "settings": Lines(json.dumps(settings(host), indent=2, sort_keys=True) + "\n"),
        "tools": [_TOOLS[scheme] for scheme in schemes if scheme in _TOOLS],
        # A lock's owner is looked up under /proc before its lock is removed.
        "hardening": hardened(calls=("@system-service @mount",)) | {"ProtectProc": "default"},
        "reach": _reach(repositories),
        "snapshot": snapshot,
        "units": list(_units(spec)),
        "notify": _notify(spec),
        "alerting": spec.monitoring is not None,
    }


def settings(host: Host) -> dict[str, object]:
    """What /etc/emily/host.json tells the host's own commands; of secrets only the names."""
    backup = host.spec.backup
    return {
        "version": 1,
        "host": host.name,
        "host_id": host.spec.system.host_id,
        "snapshot_name": NAME_FORMAT,
        "paths": {
            "cache": CACHE,
            "locks": f"{RUNTIME}/locks",
            "metrics": METRICS,
            "scratch": f"{CACHE}/drill",
            "source": f"{RUNTIME}/snapshot",
            "state": STATE,
        },
        "datasets": _datasets(host.spec),
        "policies": {name: dict(policy) for name, policy in backup.snapshots.items()},
        "repositories": {name: _repository(name, entry) for name, entry in backup.offsite.items()},
        "drill": {"period": backup.drill.schedule.period.seconds} if backup.drill else None,
    }


def _datasets(spec: HostSpec) -> dict[str, object]:
    return {
        path: {
            "mountpoint": dataset.mountpoint,
            "policy": dataset.snapshots if policy_of(spec, dataset) else None,
            "repositories": copied_to(spec, path),
        }
        for path, (_, dataset) in datasets(spec).items()
        if policy_of(spec, dataset) or copied_to(spec, path)
    }


def _repository(name: str, repository: Repository) -> dict[str, object]:
    limit = repository.upload_limit
    return {
        "url": repository.repository,
        "password": f"restic-password-{name}",
        "environment": f"restic-environment-{name}" if repository.credentials else None,
        "datasets": list(repository.datasets),
        "exclude": list(repository.exclude),
        "keep": dict(repository.keep),
        "period": repository.schedule.period.seconds,
        "verify": {
            "subsets": subsets(repository),
            "period": repository.verify.schedule.period.seconds,
            "whole_in": repository.verify.whole_in.seconds,
        },
        # restic counts KiB in a second, and takes 0 as no limit at all
        "upload_kib": None if limit is None else max(limit // 8 // 1024, 1),
    }


def _snapshot_calendar(spec: HostSpec) -> str | None:
    """Hourly where any dataset keeps hours, else daily, or nothing where none is snapshotted."""
    policies = [policy_of(spec, dataset) for _, dataset in datasets(spec).values()]
    used = [policy for policy in policies if policy]
    if not used:
        return None
    return Calendar("hourly" if any(policy.hourly for policy in used) else "daily").on_calendar


def timers(spec: HostSpec) -> list[str]:
    """The timers of a host, without their suffix."""
    snapshot = [_SNAPSHOT.removesuffix(".service")] if _snapshot_calendar(spec) else []
    return [*snapshot, *(unit.name for unit in _units(spec))]


def _units(spec: HostSpec) -> Iterator[Unit]:
    """Those of each repository, in the order in which they run when due at once; the drill last."""
    fresh = [_SNAPSHOT] if _snapshot_calendar(spec) else []
    everything = dict(sorted(spec.backup.offsite.items()))
    queue: list[str] = []
    for name, repository in everything.items():
        one, keys = {name: repository}, _credentials(spec, name)
        copy, prune, verify = (f"emily-{verb}-{name}" for verb in ("offsite", "prune", "verify"))
        first, second = [f"{copy}.service"], [f"{copy}.service", f"{prune}.service"]
        schedules = repository.schedule, repository.prune, repository.verify.schedule
        times = [calendar.on_calendar for calendar in schedules]
        yield Unit("offsite", copy, times[0], one, keys, fresh, _READ)
        yield Unit("prune", prune, times[1], one, keys, first)
        yield Unit("verify", verify, times[2], one, keys, second)
        queue += [*second, f"{verify}.service"]
    if spec.backup.drill and everything:
        keys = [key for name in everything for key in _credentials(spec, name)]
        time = spec.backup.drill.schedule.on_calendar
        yield Unit("drill", "emily-drill", time, everything, keys, queue, _RESTORE)


def _credentials(spec: HostSpec, name: str) -> list[str]:
    repository = spec.backup.offsite[name]
    found = [f"restic-password-{name}:{secret_file(spec, repository.password)}"]
    if repository.credentials:
        found.append(f"restic-environment-{name}:{secret_file(spec, repository.credentials)}")
    return found


def _reach(repositories: Iterable[Repository]) -> dict[str, object]:
    """What units need to get at repositories: the network, folders, the keys of ssh and rclone."""
    remote = any(not repository.is_local for repository in repositories)
    folders = sorted(entry.repository for entry in repositories if entry.is_local)
    config: dict[str, object] = {}
    if remote:
        config["RestrictAddressFamilies"] = list(_REMOTE)
    if folders:
        config["ReadWritePaths"] = folders
    if folders or any(entry.scheme in _TOOLS for entry in repositories):
        config["ProtectHome"] = "read-only"
    return config


def _notify(spec: HostSpec) -> dict[str, object]:
    """The messenger speaks to the Alertmanager on this host, or to nobody."""
    if not spec.monitoring:
        return {"PrivateNetwork": True}
    return {
        "IPAddressAllow": "localhost",
        "IPAddressDeny": "any",
        "RestrictAddressFamilies": ["AF_UNIX", "AF_INET"],
    }
