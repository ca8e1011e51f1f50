"""Rules about databases: consistent before a snapshot, and asked after a restore."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, host_rule
from emily_infra.findings import Path, Severity
from emily_infra.spec import topology
from emily_infra.spec.backup import Quiesce
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.snapshots import copied_to, is_within, pace, policy_of
from emily_infra.spec.units import Duration

_DUMP = "postgresqlBackup-ledger.service"


def _hooks(spec: HostSpec) -> list[tuple[str, Quiesce]]:
    return sorted(spec.backup.quiesce.items())


@host_rule(
    "BAK020",
    Severity.ERROR,
    wrong=f"""
        storage: {{ pools: {{ tank: {{ datasets: {{ db: {{ snapshots: none }} }} }} }} }}
        backup: {{ quiesce: {{ ledger: {{ before: {_DUMP}, datasets: [tank/db] }} }} }}
    """,
    right=f"""
        storage: {{ pools: {{ tank: {{ datasets: {{ db: {{ snapshots: daily }} }} }} }} }}
        backup: {{ quiesce: {{ ledger: {{ before: {_DUMP}, datasets: [tank/db] }} }} }}
    """,
)
def quiesced_for_no_snapshot(host: Host) -> Iterator[Problem]:
    """Data is made consistent for a snapshot that is never taken

    backup.quiesce runs a service before a snapshot of its datasets. For a dataset that takes no
    snapshots it never runs, and the dump that everybody believes in is not there.
    """
    known = topology.datasets(host.spec)
    for name, hook in _hooks(host.spec):
        for index, path in enumerate(hook.datasets):
            if path in known and not policy_of(host.spec, known[path][1]):
                yield Problem(
                    at=("backup", "quiesce", name, "datasets", index),
                    message=f"{hook.before} is to run before snapshots of {path}, which takes none",
                    hint=f"give {path} a policy, such as snapshots: "
                    f"{next(iter(sorted(host.spec.backup.snapshots)), 'daily')}",
                )


@host_rule(
    "BAK021",
    Severity.ERROR,
    wrong=f"""
        backup:
          quiesce: {{ home: {{ before: {_DUMP}, datasets: [tank/home], deadline: 1h }} }}
    """,
    right=f"""
        backup:
          quiesce: {{ home: {{ before: {_DUMP}, datasets: [tank/home], deadline: 10min }} }}
    """,
)
def a_deadline_longer_than_the_period(host: Host) -> Iterator[Problem]:
    """A snapshot may wait until the next one is due

    The whole run waits for what makes data consistent, at most for its deadline. When that is as
    long as the time between two snapshots, a service that hangs makes every run late and every
    other one fall out.
    """
    known = topology.datasets(host.spec)
    for name, hook in _hooks(host.spec):
        policies = [policy_of(host.spec, known[path][1]) for path in hook.datasets if path in known]
        shortest = min((pace(policy) for policy in policies if policy), default=None)
        if shortest and hook.deadline >= shortest:
            yield Problem(
                at=("backup", "quiesce", name),
                message=f"{hook.before} may take {hook.deadline}; a snapshot is due every "
                f"{shortest}",
                hint=f"write deadline: {Duration(shortest // 2)} or less, or give its datasets "
                "a policy with longer periods",
            )


@host_rule(
    "BAK022",
    Severity.ERROR,
    wrong="""
        backup: { checks: { ledger: { dump: /var/ledger.dump, query: select true } } }
    """,
    right="""
        backup: { checks: { ledger: { dump: /srv/home/l.dump, query: select true } } }
    """,
)
def a_dump_that_no_copy_holds(host: Host) -> Iterator[Problem]:
    """A database dump is to be checked that no copy holds

    A whole drill restores everything from a repository, loads the dump into a throw-away server and
    asks it. A dump that lies on no dataset with a copy is not there after a fire either.
    """
    for name, check in sorted(host.spec.backup.checks.items()):
        place: Path = ("backup", "checks", name, "dump")
        below = [mount for mount in topology.mounts(host.spec) if _holds(mount, check.dump)]
        path = max(below, key=lambda mount: len(mount.mountpoint)).path if below else None
        if path is None or not copied_to(host.spec, path):
            where = f"is on {path}, which no repository holds" if path else "is on no dataset"
            yield Problem(
                at=place,
                message=f"{check.dump} {where}",
                hint="have it written to a dataset that backup.offsite names",
            )


@host_rule(
    "BAK030",
    Severity.NOTE,
    wrong="""
        backup:
          drill: weekly
          checks: { ledger: { dump: /srv/home/l.dump, query: select true } }
    """,
    right="""
        backup:
          drill: { full: monthly }
          checks: { ledger: { dump: /srv/home/l.dump, query: select true } }
    """,
)
def a_database_that_nobody_asks(host: Host) -> Iterator[Problem]:
    """A database is to be asked in a drill that no timer runs

    Drills of a share restore some files, and load no dump. Only a whole one does; with
    backup.drill.full it has a timer, and without it somebody has to think of it.
    """
    backup = host.spec.backup
    if backup.checks and not (backup.drill and backup.drill.full):
        yield Problem(
            at=("backup", "checks"),
            message=f"no drill asks {' or '.join(sorted(backup.checks))}, unless it is begun by "
            "hand",
            hint="write drill: { schedule: weekly, full: monthly }, or begin it by hand: "
            "emily-infra backup drill --full",
        )


def _holds(mount: topology.Mount, file: str) -> bool:
    return mount.mountpoint == "/" or is_within(file, mount.mountpoint)
