"""Snapshots, off-site copies, their upkeep and the drills, as systemd units and host.json."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from emily_infra.render.host_json import environment, password, replica_key, settings
from emily_infra.render.nix import Expression, Lines
from emily_infra.render.units import hardened
from emily_infra.spec.backup import Repository
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.snapshots import policy_of
from emily_infra.spec.topology import datasets, secret_file
from emily_infra.spec.units import Calendar, Duration

_SNAPSHOT = "emily-snapshot.service"
_READ = ("CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN")
_RESTORE = (*_READ, "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_SETFCAP")
# All there is: device nodes, too, and databases, which run as nobody and are ended as root.
_RESTORE_ALL = (*_RESTORE, "CAP_KILL", "CAP_MKNOD", "CAP_SETGID", "CAP_SETUID")
_SEND = ("CAP_SYS_ADMIN",)
_REMOTE = ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK")
_SSH = Expression("pkgs.openssh")
_DATABASE = Expression("config.services.postgresql.package")
_TOOLS = {"rclone": Expression("pkgs.rclone"), "sftp": _SSH}
_QUARTER = "*-*-* *:00/15:00 UTC"
_SNAPSHOT_LIMIT = Duration.parse("15min")
_LETTING_GO = Duration.parse("5min")
_DESCRIPTIONS = {
    "offsite": "Copy the newest snapshots off-site",
    "prune": "Remove forgotten data from the repository",
    "verify": "Read back a share of the repository",
    "drill": "Restore real files and compare them",
    "drill --full": "Restore everything, compare it, and ask the databases in it",
    "replicate": "Send the newest snapshots to a second host",
}


@dataclass(frozen=True)
class Unit:
    """A service that works on repositories or a replica, with its timer."""

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
        repository = self.name.removeprefix("emily-").partition("-")[2]
        return self.verb if self.drills else f"{self.verb} {repository}"

    @property
    def drills(self) -> bool:
        """Whether it restores, all of it or a share."""
        return self.verb.startswith("drill")

    @property
    def bounds(self) -> str:
        """The capabilities that are left of root's."""
        return " ".join(sorted(self.capabilities))

    @property
    def folders(self) -> list[str]:
        """The repositories that are folders of this host."""
        return [entry.repository for entry in self.repositories.values() if entry.is_local]

    @property
    def mounts(self) -> bool:
        """Whether it mounts snapshots, which it does where nobody else sees them."""
        return self.verb == "offsite" or self.drills

    @property
    def wants(self) -> list[str]:
        """What is started with it: the network, where it is needed, and a fresh snapshot."""
        stores = self.repositories.values()
        remote = not stores or any(not entry.is_local for entry in stores)
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
    if not snapshot and not spec.backup.offsite and not spec.backup.replicas:
        return None
    return {
        "settings": Lines(json.dumps(settings(host), indent=2, sort_keys=True) + "\n"),
        "tools": _tools(spec),
        # A lock's owner is looked up under /proc before its lock is removed.
        "hardening": hardened(calls=("@system-service @mount",)) | {"ProtectProc": "default"},
        "reach": _reach(spec),
        "snapshot": snapshot,
        "snapshot_limit": str(Duration(_SNAPSHOT_LIMIT + _waits(spec))),
        "quiesces": bool(spec.backup.quiesce),
        "units": list(_units(spec)),
        "notify": _notify(spec),
        "alerting": spec.monitoring is not None,
    }


def _tools(spec: HostSpec) -> list[Expression]:
    """What the units call beside ZFS and restic."""
    schemes = sorted({repository.scheme for repository in spec.backup.offsite.values()})
    # A drill signs its evidence with the host's own SSH key.
    signs = spec.backup.drill and spec.backup.offsite
    found = [_SSH] if spec.backup.replicas or signs else []
    found += [_TOOLS[scheme] for scheme in schemes if scheme in _TOOLS]
    if spec.backup.drill and spec.backup.drill.full and spec.backup.checks:
        found.append(_DATABASE)
    if spec.backup.quiesce:
        found.append(Expression("config.systemd.package"))
    return list(dict.fromkeys(found))


def _waits(spec: HostSpec) -> int:
    """How long snapshots wait at most for services: in the run of each pool that they concern."""
    return sum(
        (hook.deadline + (_LETTING_GO if hook.after else 0))
        * len({path.partition("/")[0] for path in hook.datasets})
        for hook in spec.backup.quiesce.values()
    )


def _snapshot_calendar(spec: HostSpec) -> str | None:
    """As often as the shortest period in use; what is received here is expired then, too."""
    policies = [policy_of(spec, dataset) for _, dataset in datasets(spec).values()]
    used = [policy for policy in policies if policy]
    if not used and not spec.backup.receives:
        return None
    if any(policy.frequent for policy in used):
        return _QUARTER
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
        before: list[str] = []
        for verb, calendar in _runs(repository):
            unit, copies = f"emily-{verb}-{name}", verb == "offsite"
            after, rights = (fresh, _READ) if copies else (list(before), ())
            yield Unit(verb, unit, calendar.on_calendar, one, keys, after, rights)
            before.append(f"{unit}.service")
        queue += before
    yield from _replications(spec, fresh)
    if everything:
        yield from _drills(spec, everything, queue)


def _drills(spec: HostSpec, everything: dict[str, Repository], queue: list[str]) -> Iterator[Unit]:
    """A share of all repositories, and all of them: what is small waits while the other runs."""
    drill = spec.backup.drill
    if not drill:
        return
    keys = [key for name in everything for key in _credentials(spec, name)]
    whole = "emily-drill-full"
    after = [*queue, f"{whole}.service"] if drill.full else queue
    time = drill.schedule.on_calendar
    yield Unit("drill", "emily-drill", time, everything, keys, after, _RESTORE)
    if drill.full:
        time = drill.full.on_calendar
        yield Unit("drill --full", whole, time, everything, keys, queue, _RESTORE_ALL)


def _runs(repository: Repository) -> Iterator[tuple[str, Calendar]]:
    """What is done for a repository, and when; where nothing can be deleted, nothing is pruned."""
    yield "offsite", repository.schedule
    if not repository.append_only:
        yield "prune", repository.prune
    yield "verify", repository.verify.schedule


def _replications(spec: HostSpec, fresh: list[str]) -> Iterator[Unit]:
    for name, replica in sorted(spec.backup.replicas.items()):
        keys = [f"{replica_key(name)}:{secret_file(spec, replica.key)}"]
        time = replica.schedule.on_calendar
        yield Unit("replicate", f"emily-replicate-{name}", time, {}, keys, fresh, _SEND)


def _credentials(spec: HostSpec, name: str) -> list[str]:
    repository = spec.backup.offsite[name]
    found = [f"{password(name)}:{secret_file(spec, repository.password)}"]
    if repository.credentials:
        found.append(f"{environment(name)}:{secret_file(spec, repository.credentials)}")
    return found


def _reach(spec: HostSpec) -> dict[str, object]:
    """What units need to get elsewhere: the network, folders, the keys of ssh and rclone."""
    repositories = spec.backup.offsite.values()
    remote = bool(spec.backup.replicas) or any(not entry.is_local for entry in repositories)
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
