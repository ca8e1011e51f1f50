"""Pools and datasets against host.yaml: what apply does, and what only a person may do.

Nothing here destroys: what is missing is made, what differs is set, disks come and go where ZFS
keeps the data whole, and all else is told.
"""

from collections.abc import Iterator
from dataclasses import replace

from emily_infra.observe import Observation
from emily_infra.observe.pools import standstill
from emily_infra.plan.model import Hazard, Step
from emily_infra.plan.storage import vdevs
from emily_infra.plan.storage.datasets import Tree, named
from emily_infra.plan.storage.newcomers import admitted, disks_of, unread
from emily_infra.plan.storage.site import Site
from emily_infra.render.storage import BY_ID
from emily_infra.spec import storage
from emily_infra.spec.host import HostSpec
from emily_infra.spec.topology import datasets
from emily_infra.zfs.commands import create_pool

__all__ = ["against", "foreign", "steps", "to_read"]


def steps(spec: HostSpec, observation: Observation) -> Iterator[Step]:
    """What leads to the pools of host.yaml, in an order that works; then what is only told."""
    yield from sorted(_steps(spec, observation), key=lambda step: not step.hazard.runs)


def _steps(spec: HostSpec, observation: Observation) -> Iterator[Step]:
    for name, body in sorted(spec.storage.pools.items()):
        if site := _site(spec, name, observation):
            yield from _of_pool(site)
        elif observation.knows("pool"):
            yield _missing_pool(name, body)


def _site(spec: HostSpec, name: str, seen: Observation) -> Site | None:
    pool = seen.pool(name)
    return Site(spec.storage.pools[name], pool, spec.storage, seen) if pool else None


def _of_pool(site: Site) -> Iterator[Step]:
    layout = list(vdevs.steps(site)) if site.pool.told else []
    found = [*layout, *Tree(site, special=_will_be_special(site, layout)).steps()]
    why = standstill(site.pool)
    yield from (_halted(step, why) for step in found) if why else found


def _will_be_special(site: Site, layout: list[Step]) -> bool:
    """Whether the pool has a special vdev once its layout is as far as the steps lead."""
    there = any(group.role == "special" for group in site.groups)
    comes = any(
        step.taking and step.taking.role == "special" and step.hazard.runs for step in layout
    )
    return there or comes or not site.pool.told


def _halted(step: Step, why: str) -> Step:
    """No step on a pool that takes no writes: its command would hang, and could not be ended."""
    look = f"{why}; mend it first: zpool status -v"
    return replace(step, hazard=Hazard.IMPOSSIBLE, why=look, undo="", word="", offered=False)


def to_read(spec: HostSpec, observation: Observation) -> tuple[str, ...]:
    """The disks that steps would write to; only whoever has read them knows whether they may."""
    found = (_site(spec, name, observation) for name in sorted(spec.storage.pools))
    sites = [site for site in found if site and site.pool.told]
    places = (place for site in sites for place in disks_of(site, unread(site)).values())
    return tuple(dict.fromkeys(place.disk for place in places))


def against(spec: HostSpec, step: Step, observation: Observation) -> Iterator[str]:
    """What stands against the disks that one of the steps takes, by a later look."""
    for name in sorted(spec.storage.pools):
        site = _site(spec, name, observation)
        if site and any(name in command for command in step.commands):
            why = standstill(site.pool)
            yield from [why] if why else ()
            yield from (each.why for each in admitted(site, [step]) if not each.hazard.runs)


def foreign(spec: HostSpec, observation: Observation) -> Iterator[str]:
    """Pools, and datasets on our pools, that host.yaml does not name."""
    ours = named(datasets(spec))
    for pool in observation.pools:
        if pool.name not in spec.storage.pools:
            yield f"pool {pool.name}"
            continue
        for dataset in pool.datasets:
            if dataset.name not in ours | {pool.name}:
                yield f"{dataset.kind} {dataset.name}"


def _missing_pool(name: str, body: storage.Pool) -> Step:
    return Step(
        f"pool {name} is not there",
        Hazard.DESTRUCTIVE,
        "apply never creates a pool: that empties disks. If it exists and was exported, import it: "
        f"zpool import -d {BY_ID} {name}. If it is new: emily-infra storage create HOST {name}, "
        "which looks at every disk first",
        (create_pool(name, body),),
        f"as long as nothing is on it: zpool destroy {name}",
    )
