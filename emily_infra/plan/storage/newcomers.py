"""Disks that a step would write to: it may, only where they are proven blank."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from emily_infra.disks.blank import Guard, Report
from emily_infra.disks.places import Members, Place
from emily_infra.disks.places import members as members_of
from emily_infra.plan.model import Hazard, Step
from emily_infra.plan.storage.site import Site
from emily_infra.storage import record
from emily_infra.zfs.members import member


def unread(site: Site) -> list[str]:
    """The members of host.yaml that the pool does not have."""
    there = {site.names.of(leaf) for leaf in site.pool.leaves}
    return [disk for disk in dict.fromkeys(members_of(site.body)) if disk not in there]


def disks_of(site: Site, names: Iterable[str]) -> dict[str, Place]:
    """The place of each member that `storage.disks` knows: a whole disk, or one partition of it."""
    found = {name: member(name, site.storage.disks) for name in names}
    return {
        name: Place(
            each.disk, site.storage.disks[each.disk], (each.partition,) if each.partition else ()
        )
        for name, each in found.items()
        if each
    }


def admitted(site: Site, steps: Iterable[Step]) -> Iterator[Step]:
    """The steps, but those that would write to a disk that is not proven blank: they are told."""
    places = disks_of(site, unread(site))
    disks = {place.disk for place in places.values()}
    begun: dict[str, str] = {}
    for disk in disks:
        begun |= record.begun(site.seen, record.of_disk(disk))
    members = Members(site.storage, site.seen)
    guard = Guard(site.seen, members, tuple(places.values()), site.pool.name, begun)
    reports = dict(zip(places, guard.reports(), strict=True))
    for step in steps:
        names = step.taking.disks if step.taking and step.hazard.runs else ()
        why = [each for name in names for each in _against(name, reports.get(name))]
        yield _refused(step, why) if why else step


def _against(name: str, report: Report | None) -> Iterator[str]:
    if report is None:
        yield f"{name} has another place in the pool; a disk is moved by replacing it there first"
        return
    if report.to_partition:
        yield f"{name} is not there: {report.place.disk} has no partitions yet"
    for each in report.objections:
        yield f"{each.message} ({each.hint})"


def _refused(step: Step, why: list[str]) -> Step:
    reasons = "; ".join(dict.fromkeys(why))
    return replace(step, hazard=Hazard.IMPOSSIBLE, why=reasons, undo="", word="")
