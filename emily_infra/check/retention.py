"""Rules about what is kept: too much of it, by nobody, or where nothing can be forgotten."""

from collections.abc import Iterator

from emily_infra.check.backup import repositories, repository_place
from emily_infra.check.rule import Problem, host_rule
from emily_infra.findings import Severity
from emily_infra.spec import topology
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.snapshots import policy_of

_MANY = 10_000


@host_rule(
    "BAK017",
    Severity.WARNING,
    wrong="backup: { snapshots: { daily: { frequent: 9600, hourly: 1000 } } }",
    right="backup: { snapshots: { daily: { frequent: 96, hourly: 48 } } }",
)
def more_snapshots_than_a_pool_carries(host: Host) -> Iterator[Problem]:
    """A pool would hold more snapshots than it can list in good time

    ZFS has no limit, but whatever lists snapshots takes its time with each: two thousand of one
    dataset take seconds, and Samba's previous versions, `zfs list` and expiring all do it. Keep
    many short periods for a day, and fewer long ones for the rest.
    """
    for pool in sorted(host.spec.storage.pools):
        kept = _kept(host.spec, pool)
        total = sum(kept.values())
        if total > _MANY:
            worst = max(kept, key=lambda name: (kept[name], name))
            yield Problem(
                at=("backup", "snapshots", worst),
                message=f"the policies keep {total:,} snapshots on {pool}, {kept[worst]:,} of them "
                f"by {worst}",
                hint=f"shorten {worst}, such as {{ frequent: 96, hourly: 48, daily: 30 }}",
            )


def _kept(spec: HostSpec, pool: str) -> dict[str, int]:
    """How many snapshots each policy keeps on a pool."""
    kept: dict[str, int] = {}
    for _, dataset in sorted(spec.storage.pools[pool].datasets.items()):
        if dataset.snapshots and (policy := policy_of(spec, dataset)):
            count = sum(count for _, count in policy)
            kept[dataset.snapshots] = kept.get(dataset.snapshots, 0) + count
    return kept


@host_rule(
    "BAK018",
    Severity.NOTE,
    wrong="backup: { offsite: { shed: { append_only: true } } }",
    right="backup: { offsite: { shed: { append_only: false } } }",
)
def forgetting_is_the_far_sides(host: Host) -> Iterator[Problem]:
    """Nothing is forgotten from here; the far side must do it

    An append-only repository is the right guard against whoever takes over this host: with its
    keys, nothing that was stored can be deleted. So this host can neither forget nor prune, has no
    timer for it, and the repository grows until somebody forgets with other keys on another
    machine. Do it there by age (`--keep-within-daily 7d`), never by count: an intruder may add
    many new copies, and counting would push the good ones out.
    """
    for name, repository in repositories(host.spec):
        if repository.append_only:
            keep = repository.keep
            yield Problem(
                at=(*repository_place(name), "append_only"),
                message=f"what keep says of {name} is not done from here",
                hint=f"on the far side: restic forget --host {host.name} --tag emily-{name} "
                f"--group-by host,tags --keep-within-daily {max(keep.daily, 1)}d "
                f"--keep-within-weekly {max(keep.weekly, 1) * 7}d "
                f"--keep-within-monthly {max(keep.monthly, 1)}m "
                f"--keep-within-yearly {max(keep.yearly, 1)}y --prune",
            )


@host_rule(
    "BAK019",
    Severity.NOTE,
    wrong="backup: { snapshots: { minutes: { frequent: 96 } } }",
    right="backup: { snapshots: { daily: { frequent: 96 } } }",
)
def a_policy_that_nobody_follows(host: Host) -> Iterator[Problem]:
    """No dataset follows a policy

    The timer fires as often as the policies in use ask for. One that no dataset names takes no
    snapshot and keeps none, whatever it says.
    """
    followed = {dataset.snapshots for _, dataset in topology.datasets(host.spec).values()}
    for name in sorted(host.spec.backup.snapshots.keys() - followed):
        yield Problem(
            at=("backup", "snapshots", name),
            message=f"no dataset says snapshots: {name}",
            hint=f"delete {name}, or give it to a dataset: snapshots: {name}",
        )
