"""How datasets come back from a second host: commands for a person, who sees both sides; pure."""

import shlex
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePath

from emily_infra.backup.settings import Replica, Settings
from emily_infra.spec.snapshots import is_within

_ASIDE = ".empty"


def commands(settings: Settings, name: str, wanted: Collection[str]) -> Iterator[str]:
    """One after another, parents before children; nothing that is there is written over."""
    replica = settings.replicas[name]
    datasets = [
        each
        for each in settings.sent_to(name)
        if not wanted or any(is_within(each, one) for one in wanted)
    ]
    yield (
        f"# as root on {settings.host}, with root's access to {replica.address}: the key for "
        "replication can only send there"
    )
    yield "# what stands in the way is moved aside; look whether it is empty before it is destroyed"
    for place in sorted(set(_places(settings, datasets)), reverse=True):
        yield shlex.join(["umount", str(place)])
    moved = [each for each in datasets if _above(settings, each) not in datasets]
    for dataset in reversed(moved):
        yield shlex.join(["zfs", "rename", dataset, dataset + _ASIDE])
    for dataset in sorted(settings.datasets):
        if dataset in datasets:
            yield _one(replica, dataset)
        elif _above(settings, dataset) in datasets:
            yield _kept(dataset, max(each for each in moved if is_within(dataset, each)))
    yield "# then, where the project is, what host.yaml says of properties; and here the mounts:"
    yield f"emily-infra apply {settings.host}"
    yield "mount -a"


def _places(settings: Settings, datasets: Iterable[str]) -> list[PurePath]:
    """Where they are mounted, and what of the host is mounted below them."""
    moved = [name for name in settings.datasets for each in datasets if is_within(name, each)]
    return [place for name in moved if (place := settings.datasets[name].mountpoint)]


def _above(settings: Settings, dataset: str) -> str | None:
    """The one that a dataset stands in, among those of the host."""
    above = (each for each in settings.datasets if dataset.startswith(f"{each}/"))
    return max(above, key=len, default=None)


def _kept(dataset: str, moved: str) -> str:
    """What the replica does not hold went aside with the one above it, and is taken back."""
    aside = moved + _ASIDE + dataset.removeprefix(moved)
    return shlex.join(["zfs", "rename", aside, dataset])


def _one(replica: Replica, dataset: str) -> str:
    there = shlex.quote(f"{replica.into}/{dataset}")
    newest = f"zfs list -H -o name -t snapshot -d 1 -s createtxg {there} | tail -n 1"
    send = shlex.join(["ssh", f"root@{replica.address}", f'zfs send -L "$({newest})"'])
    return f"{send} | {shlex.join(['zfs', 'receive', '-u', dataset])}"
