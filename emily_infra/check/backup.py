"""Rules about copies: is everything copied, once, and elsewhere."""

from collections.abc import Iterator, Mapping, Sequence

from emily_infra.check.outside import machine
from emily_infra.check.rule import Problem, Standing, fleet_rule, host_rule
from emily_infra.findings import Path, Severity, dotted
from emily_infra.spec import topology
from emily_infra.spec.backup import Quiesce, Repository
from emily_infra.spec.host import Fleet, Host, HostSpec
from emily_infra.spec.replication import Replica
from emily_infra.spec.snapshots import copied_to, is_within, replicated_to
from emily_infra.spec.topology import LOOPBACK, addresses


def dataset_place(path: str) -> Path:
    """Where a dataset stands in host.yaml."""
    pool, _, name = path.partition("/")
    return ("storage", "pools", pool, "datasets", name)


def repository_place(name: str) -> Path:
    """Where a repository stands in host.yaml."""
    return ("backup", "offsite", name)


def replica_place(name: str) -> Path:
    """Where a replica stands in host.yaml."""
    return ("backup", "replicas", name)


def copies(spec: HostSpec, path: str) -> list[Path]:
    """Where everything stands in host.yaml that copies a dataset elsewhere."""
    stored, sent = copied_to(spec, path), replicated_to(spec, path)
    return [*map(repository_place, stored), *map(replica_place, sent)]


def repositories(spec: HostSpec) -> list[tuple[str, Repository]]:
    """Every repository with its name, in the order of names."""
    return sorted(spec.backup.offsite.items())


@host_rule(
    "BAK001",
    Severity.ERROR,
    wrong="storage: { pools: { tank: { datasets: { photos: { mountpoint: /srv/photos } } } } }",
    right="""
        storage: { pools: { tank: { datasets: { photos: { mountpoint: /srv/photos } } } } }
        backup: { exempt: { tank/photos: a second copy of what the camera's owner keeps } }
    """,
)
def a_dataset_without_a_copy(host: Host) -> Iterator[Problem]:
    """A dataset has no copy elsewhere, and nothing says why

    The dataset that was added last and never entered in the backup is the one that people miss
    after a fire. So every dataset is either covered by a repository or a replica (by its own name
    or by that of one above it) or named under backup.exempt with a reason that the next person can
    judge.
    """
    spec = host.spec
    for path in topology.datasets(spec):
        if not copies(spec, path) and path not in spec.backup.exempt:
            names = [name for name, _ in repositories(spec)]
            where = f"backup.offsite.{names[0]}.datasets" if names else "backup.offsite"
            yield Problem(
                at=dataset_place(path),
                message=f"no repository or replica holds {path}, and backup.exempt does not name "
                "it",
                hint=f"add {path} to {where}, or under backup.exempt: {path}: why it needs no copy",
            )


@host_rule(
    "BAK002",
    Severity.ERROR,
    wrong="backup: { offsite: { shed: { datasets: [tank/home, tank/home] } } }",
    right="backup: { offsite: { shed: { datasets: [tank/home] } } }",
)
def a_dataset_copied_twice(host: Host) -> Iterator[Problem]:
    """A dataset goes into the same repository twice

    A dataset stands for all that is below it. Listed together with one above it, or in two entries
    with the same address, its files are read and counted twice, and two retention rules work on the
    same copies: the shorter one wins. Two repositories in two places are fine, and better than one.
    """
    seen: dict[str, str] = {}
    for name, repository in repositories(host.spec):
        yield from listed_twice(repository_place(name), repository.datasets)
        other = seen.setdefault(repository.location, name)
        if other != name:
            yield Problem(
                at=(*repository_place(name), "repository"),
                message=f"{name} and {other} are the same repository",
                hint=f"merge the datasets of {name} into {other} and delete {name}",
            )


def listed_twice(place: Path, listed: Sequence[str]) -> Iterator[Problem]:
    """Datasets of a list that stand for, or below, another one in it."""
    for index, path in enumerate(listed):
        for other in (*listed[:index], *(root for root in listed[index + 1 :] if root != path)):
            if is_within(path, other):
                above = "is listed twice" if path == other else f"is already part of {other}"
                yield Problem(
                    at=(*place, "datasets", index),
                    message=f"{path} {above}",
                    hint=f"delete {path} from this list",
                )
                break


@host_rule(
    "BAK004",
    Severity.ERROR,
    wrong="backup: { exempt: { tank/hom: kept by hand in a second place } }",
    right="backup: { exempt: {} }",
    standing=Standing.CONTRADICTION,
)
def a_copy_of_a_dataset_that_does_not_exist(host: Host) -> Iterator[Problem]:
    """The backup names a dataset that does not exist

    A misspelt dataset under backup.offsite or backup.replicas is one that nobody copies, and one
    under backup.quiesce is snapshotted while its database writes. It is found here rather than at
    two in the morning, or by the first person who asks for a file.
    """
    known = topology.datasets(host.spec)
    for place, path in _named(host.spec):
        if path not in known:
            yield Problem(
                at=place,
                message=f"there is no dataset {path} in storage.pools",
                hint=f"datasets here: {', '.join(known) or 'none'}",
            )


def _named(spec: HostSpec) -> Iterator[tuple[Path, str]]:
    """Every dataset that the backup part names, and where."""
    backup = spec.backup
    for path in backup.exempt:
        yield ("backup", "exempt", path), path
    parts: dict[str, Mapping[str, Repository | Replica | Quiesce]] = {
        "offsite": backup.offsite,
        "replicas": backup.replicas,
        "quiesce": backup.quiesce,
    }
    for part, entries in parts.items():
        for name, entry in sorted(entries.items()):
            for index, path in enumerate(entry.datasets):
                yield ("backup", part, name, "datasets", index), path


@host_rule(
    "BAK005",
    Severity.ERROR,
    wrong="backup: { exempt: { tank/home: kept by hand in a second place } }",
    right="backup: { exempt: {} }",
)
def exempt_and_copied(host: Host) -> Iterator[Problem]:
    """A dataset is exempt from the backup, and copied all the same

    One of the two is a leftover. If it is the exemption, then the day the copy is dropped nobody
    hears of it. A dataset is also copied when one above it is.
    """
    for path in host.spec.backup.exempt:
        holders = copies(host.spec, path)
        if holders:
            names = " and ".join(str(holder[-1]) for holder in holders)
            yield Problem(
                at=("backup", "exempt", path),
                message=f"{path} is exempt, but {names} holds a copy of it",
                hint=f"delete {path} from backup.exempt, or take it out of "
                f"{dotted(holders[0])}.datasets",
            )


@fleet_rule(
    "BAK009",
    Severity.WARNING,
    wrong="one: {}\ntwo: {}",
    right="""
        one: {}
        two: { backup: { offsite: { shed: { repository: "rest:https://b.example.org/two/" } } } }
    """,
)
def two_hosts_in_one_repository(fleet: Fleet) -> Iterator[Problem]:
    """Two hosts share a repository

    Whoever breaks into one of them holds the password to the files of the other, and can delete
    both. While one prunes, the other cannot copy, and a mistake in one host's retention reaches the
    copies of the other. Storage saved by finding the same blocks on two hosts is seldom worth that.
    """
    holders: dict[str, list[tuple[str, str]]] = {}
    for host in fleet.values():
        for name, repository in repositories(host.spec):
            if not repository.is_local:
                holders.setdefault(repository.location, []).append((host.name, name))
    for entries in holders.values():
        hosts = list(dict.fromkeys(writer for writer, _ in entries))
        for writer, name in entries if len(hosts) > 1 else ():
            other = hosts[0] if hosts[0] != writer else hosts[1]
            many = f" and {len(hosts) - 2} more" if len(hosts) > 2 else ""
            yield Problem(
                at=(*repository_place(name), "repository"),
                message=f"{writer} and {other}{many} write into the same repository",
                hint=f"give each host its own, such as a path that ends in /{writer}, "
                "with its own password",
                host=writer,
            )


@host_rule(
    "BAK010",
    Severity.WARNING,
    wrong="backup: { offsite: { shed: { repository: /srv/home/backup } } }",
    right="backup: { offsite: { shed: { repository: rest:https://backup.example.org/pebble/ } } }",
)
def a_copy_in_the_same_place(host: Host) -> Iterator[Problem]:
    """A repository is on this host

    Fire, theft, lightning and a deleted pool take the copy together with the original. It makes no
    difference whether the repository is a folder or a server that runs here. A folder can be right
    for a disk that is carried away, or for a network mount: then acknowledge this and say where it
    really is.
    """
    example = f"rest:https://backup.example.org/{host.name}/"
    elsewhere = f"use a repository on another machine, such as {example}"
    for name, repository in repositories(host.spec):
        if repository.is_local:
            pool = _pool_below(host.spec, repository.location)
            where = f"on the host's own pool {pool}" if pool else "a folder of this host"
            yield Problem(
                at=(*repository_place(name), "repository"),
                message=f"{repository.repository} is {where}, not elsewhere",
                hint=elsewhere,
            )
        elif machine(repository.repository) in own_names(host):
            yield Problem(
                at=(*repository_place(name), "repository"),
                message=f"{machine(repository.repository)} is this host, not elsewhere",
                hint=elsewhere,
            )


def own_names(host: Host) -> set[str]:
    """What the host is called by itself."""
    zones = (own for zone in host.spec.network.zones for own in addresses(host.spec, zone))
    return {"localhost", LOOPBACK, "::1", host.name, *(str(own.ip) for own in zones)}


def _pool_below(spec: HostSpec, folder: str) -> str | None:
    """The pool of the mount that holds a folder."""
    holding = [
        mount
        for mount in topology.mounts(spec)
        if mount.mountpoint != "/" and is_within(folder, mount.mountpoint)
    ]
    return max(holding, key=lambda mount: len(mount.mountpoint)).pool if holding else None


@host_rule(
    "BAK011",
    Severity.WARNING,
    wrong="""
        backup: { offsite: null, drill: null, exempt: { tank/home: it is only a test machine } }
    """,
    right="backup: { drill: weekly }",
)
def nothing_leaves_the_house(host: Host) -> Iterator[Problem]:
    """No copy of anything leaves the host

    Redundant disks and snapshots protect from a failed disk and from a slip of the finger. They do
    not protect from fire, theft, a broken controller or a destroyed pool.
    """
    backup = host.spec.backup
    if host.spec.storage.pools and not backup.offsite and not backup.replicas:
        pools = sorted(host.spec.storage.pools)
        first = next(iter(topology.datasets(host.spec)), f"{pools[0]}/DATASET")
        yield Problem(
            at=("backup",),
            message=f"nothing of {', '.join(pools)} is copied elsewhere",
            hint="add under backup: offsite: { s3: { repository: "
            f"s3:https://s3.example.org/backups/{host.name}, password: secret:restic, "
            f"datasets: [{first}] }} }}, under secrets: restic: {{}}; and take {first} "
            "out of exempt",
        )


@host_rule(
    "BAK015",
    Severity.ERROR,
    wrong="backup: { offsite: { shed: { exclude: [/srv/home/**] } } }",
    right="backup: { offsite: { shed: { exclude: [/srv/home/cache/**] } } }",
)
def everything_is_excluded(host: Host) -> Iterator[Problem]:
    """A pattern leaves nothing of a dataset to copy

    restic obeys, reports success and stores a copy without files; the alerts are content, since a
    copy was made. A dataset that is not to be copied is taken out of datasets and named under
    backup.exempt, where its reason can be read.
    """
    known = topology.datasets(host.spec)
    for name, repository in repositories(host.spec):
        for index, pattern in enumerate(repository.exclude):
            for path in repository.datasets:
                mountpoint = known[path][1].mountpoint if path in known else None
                if mountpoint and _leaves_nothing(pattern, mountpoint):
                    yield Problem(
                        at=(*repository_place(name), "exclude", index),
                        message=f"{pattern} leaves nothing of {path}, which is at {mountpoint}",
                        hint=f"write a folder below {mountpoint}, or take {path} out of datasets",
                    )
                    break


def _leaves_nothing(pattern: str, mountpoint: str) -> bool:
    """Whether a pattern, without a wildcard in its middle, covers a folder."""
    folder = pattern.rstrip("*/")
    return not folder or (folder.startswith("/") and is_within(mountpoint, folder))
