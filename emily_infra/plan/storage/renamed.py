"""A dataset that is missing beside one that nobody names: perhaps it is the same one.

host.yaml says what is, not what was, so that it cannot say this. An empty dataset in the place of a
full one looks to its users as if everything were lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from emily_infra.observe.pools import Dataset
from emily_infra.plan.storage.site import Site
from emily_infra.spec.units import approximately


@dataclass(frozen=True)
class Beside:
    """What is known of a possible old name."""

    why: str = ""
    is_likely: bool = False


def was_it_renamed(site: Site, path: str, unnamed: Iterable[Dataset]) -> Beside:
    """Whether the missing dataset PATH is there under a name that host.yaml does not know."""
    parent = path.rpartition("/")[0]
    strangers = [each for each in unnamed if each.name.rpartition("/")[0] == parent]
    place = site.body.datasets[path.partition("/")[2]].mountpoint
    for stranger in strangers:
        if place and _is_mounted(site, stranger, place):
            return Beside(
                f"{stranger.name} is mounted at {place} and holds {approximately(stranger.used)}; "
                f"an empty {path} would hide it. If it was renamed: zfs rename {stranger.name} "
                f"{path}; if not: zfs set mountpoint=none {stranger.name}",
                is_likely=True,
            )
    if strangers:
        old = strangers[0].name
        return Beside(
            "host.yaml names it, and the pool does not have it. Was it called otherwise before? "
            f"Then first: zfs rename {old} {path}"
        )
    return Beside()


def _is_mounted(site: Site, stranger: Dataset, place: str) -> bool:
    by_zfs = stranger.values.get("mountpoint") == place and stranger.mounted
    there = (stranger.name, place) in ((device, at) for device, at, _ in site.seen.mounts)
    return by_zfs or there
