"""Rules about datasets: their blocks, their snapshots, their parents."""

from collections.abc import Iterator

from emily_infra.check.capacity import reserved
from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Path, Severity
from emily_infra.spec import topology
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.storage import Dataset, Pool
from emily_infra.spec.units import approximately

_SPECIAL = (
    "storage:\n  disks:\n    nvme-A: &nvme { size: 500GB, media: ssd }\n    nvme-B: *nvme\n"
    "  pools:\n    tank:\n      special:\n        - mirror: [nvme-A, nvme-B]\n"
)


def _home(settings: str) -> str:
    return f"      datasets:\n        home: {{ {settings} }}\n"


def _tank(settings: str) -> str:
    return f"storage:\n  pools:\n    tank:\n{_home(settings)}"


def datasets(spec: HostSpec) -> Iterator[tuple[Path, Pool, str, Dataset]]:
    """Every dataset with its place, its pool and its name below it."""
    for path, (pool, dataset) in topology.datasets(spec).items():
        name = path.removeprefix(f"{pool}/")
        at = ("storage", "pools", pool, "datasets", name)
        yield at, spec.storage.pools[pool], name, dataset


@host_rule(
    "STO005", Severity.ERROR,
    wrong=_SPECIAL + _home("recordsize: 16KiB, small_blocks_on_special: 16KiB, quota: 100GB"),
    right=_SPECIAL + _home("recordsize: 16KiB, small_blocks_on_special: 8KiB, quota: 100GB"),
)  # fmt: skip
def small_blocks_are_all_blocks(host: Host) -> Iterator[Problem]:
    """Small blocks as large as the records move a whole dataset to the special vdev

    A block that is not larger than `small_blocks_on_special` goes to the special vdev. No block is
    larger than `recordsize`: if the two are equal, every block goes there. It fills to 75 %, then
    new data silently goes to the data disks, and nothing ever moves back. If a dataset is meant to
    live on the special vdev, say `all_on_special: true` and give it a quota.
    """
    for at, _, _, dataset in datasets(host.spec):
        small = dataset.small_blocks_on_special
        if small is not None and small >= dataset.recordsize and not dataset.all_on_special:
            message = f"blocks up to {small} are all blocks of records of {dataset.recordsize}"
            hint = f"write {_half(dataset)} or less, or add all_on_special: true and a quota"
            yield Problem((*at, "small_blocks_on_special"), message, hint)


def _half(dataset: Dataset) -> str:
    return str(type(dataset.recordsize)(dataset.recordsize // 2))


@host_rule(
    "STO006", Severity.ERROR,
    wrong=_tank("snapshots: null"),
    right=_tank("snapshots: none"),
)  # fmt: skip
def no_word_about_snapshots(host: Host) -> Iterator[Problem]:
    """A dataset says nothing about snapshots

    Most lost data is deleted by its owner, and found missing later. A dataset without snapshots
    must be somebody's decision: name a policy of `backup.snapshots`, or write none.
    """
    policies = ", ".join(sorted(host.spec.backup.snapshots))
    for at, _, name, dataset in datasets(host.spec):
        if dataset.snapshots is None:
            hint = f"write snapshots: with one of {policies}" if policies else "write a policy"
            yield Problem(at, f"nobody decided on snapshots of {name}", f"{hint}, or with none")


@host_rule(
    "STO013", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong=_tank("snapshots: none") + "        media/films: { snapshots: none }\n",
    right=_tank("snapshots: none") + "        media: { snapshots: none }\n"
          "        media/films: { snapshots: none }\n",
)  # fmt: skip
def parent_is_not_declared(host: Host) -> Iterator[Problem]:
    """A dataset stands below one that is not declared

    ZFS creates no dataset without its parent. What a parent is for (mounted or not, with which
    quota and snapshots) cannot be guessed from its child.
    """
    for at, pool, name, _ in datasets(host.spec):
        parent = name.rpartition("/")[0]
        if parent and parent not in pool.datasets:
            hint = f"add {parent}: {{ snapshots: none }}; without a mountpoint it is not mounted"
            yield Problem(at, f"{name} needs {parent}, which is not declared", hint)


@host_rule(
    "STO014", Severity.ERROR,
    wrong=_tank("quota: 1TB, reservation: 2TB"),
    right=_tank("quota: 2TB, reservation: 1TB"),
)  # fmt: skip
def more_than_the_quota(host: Host) -> Iterator[Problem]:
    """A quota or reservation is larger than a quota it lies within

    A quota covers everything below it. A child's larger quota never takes effect, and room cannot
    be reserved beyond a quota, by one dataset or by several together: ZFS refuses the setting, in
    the middle of an apply.
    """
    for at, pool, name, dataset in datasets(host.spec):
        if dataset.quota and dataset.reservation and dataset.reservation > dataset.quota:
            message = f"{dataset.reservation} reserved, with a quota of {dataset.quota}"
            yield Problem((*at, "reservation"), message, "reserve less, or raise the quota")
        for above, limit in _quotas_above(pool, name):
            for key in ("quota", "reservation"):
                value = getattr(dataset, key)
                if value and value > limit:
                    message = f"{key} {value} lies within the quota of {above}, {limit}"
                    yield Problem((*at, key), message, f"lower it, or raise the quota of {above}")
        together, largest = _below(pool, name) if dataset.quota else (0, 0)
        if dataset.quota and largest <= dataset.quota < together:
            message = f"{approximately(together)} are reserved below, in a quota of {dataset.quota}"
            yield Problem((*at, "quota"), message, "reserve less there, or raise the quota")


def _below(pool: Pool, name: str) -> tuple[int, int]:
    """What the datasets below one reserve together, and the most that one of them does."""
    below = {other: body for other, body in pool.datasets.items() if other.startswith(f"{name}/")}
    each = (int(body.reservation or 0) for body in below.values())
    return reserved(below), max(each, default=0)


def _quotas_above(pool: Pool, name: str) -> Iterator[tuple[str, int]]:
    while name := name.rpartition("/")[0]:
        above = pool.datasets.get(name)
        if above and above.quota:
            yield name, above.quota


@host_rule(
    "STO019", Severity.ERROR,
    wrong=_tank("small_blocks_on_special: 8KiB"),
    right=_tank("small_blocks_on_special: 0B"),
)  # fmt: skip
def small_blocks_without_special(host: Host) -> Iterator[Problem]:
    """Small blocks are to go to a special vdev that the pool does not have

    Without a special vdev the setting does nothing, and ZFS refuses it. It is most often left over
    from a copy of another host's file.
    """
    for at, pool, _, dataset in datasets(host.spec):
        if dataset.special_blocks and not pool.special:
            key = "small_blocks_on_special" if dataset.small_blocks_on_special else "all_on_special"
            message = f"{key} is set, but the pool has no special vdev"
            yield Problem((*at, key), message, "remove it, or add special: to the pool")
