"""Disks that come to a vdev, leave it, or take another one's place."""

from collections.abc import Iterator

from emily_infra.plan.model import Hazard, Step, Taking
from emily_infra.plan.storage.layout import Group, Slot, Wish, in_place
from emily_infra.plan.storage.site import MOVE, Site, impossible
from emily_infra.render.storage import BY_ID

_COPIES = ("disk", "mirror")


def changes(site: Site, wish: Wish, group: Group) -> Iterator[Step]:
    """What leads from a vdev of the pool to that of host.yaml."""
    yield from _for_good(site, wish, group)
    if wish.kind != group.kind and not {wish.kind, group.kind} <= set(_COPIES):
        yield impossible(
            f"{site.name}: {group} cannot become {wish}",
            f"ZFS never turns one kind of vdev into another; {MOVE.format(site.name)}",
        )
        return
    copies = group.kind in _COPIES
    if not copies and len(wish.disks) != len(group.slots):
        yield _other_width(site, wish, group)
        return
    missing = [disk for disk in wish.disks if disk not in group.disks]
    new = dict(in_place(missing, wish, group))
    leaving = [slot for slot in _leaving(wish, group) if slot not in new.values()]
    yield from (_detach(site, group, slot, list(leaving)) for slot in leaving)
    yield from (_replace(site, slot, disk) for disk, slot in new.items())
    kept = [slot for slot in group.slots if slot not in leaving and slot not in new.values()]
    yield from (_attach(site, kept, disk) for disk in missing if disk not in new)


def _leaving(wish: Wish, group: Group) -> list[Slot]:
    return [slot for slot in group.slots if not set(slot.disks) & set(wish.disks)]


def _for_good(site: Site, wish: Wish, group: Group) -> Iterator[Step]:
    """A spare that host.yaml names as the member: the disk that it stands in for is let go."""
    for slot in group.slots:
        stands_in = slot.vdev.kind == "spare" and slot.disks[0] not in wish.disks
        if stands_in and set(slot.disks) & set(wish.disks):
            stays = next(disk for disk in slot.disks if disk in wish.disks)
            first = slot.vdev.leaves[0]
            step = Step(
                f"let {stays} keep the place of {slot.disks[0]} in {site.name}",
                Hazard.SAFE,
                f"the spare {stays} stands in for it, and host.yaml names it as the member",
                (("zpool", "detach", site.name, first.handle),),
                f"with a blank disk: zpool replace {site.name} {stays} DISK",
            )
            ill = site.illness(slot.vdev.leaves[slot.disks.index(stays)])
            yield _told(step, f"the spare {stays} {ill}") if ill else _told_if_busy(site, step)


def _other_width(site: Site, wish: Wish, group: Group) -> Step:
    title = f"{site.name}: {group.vdev.name} has {len(group.slots)} disks, not {len(wish.disks)}"
    if len(wish.disks) < len(group.slots):
        return impossible(
            title, f"a raidz never becomes narrower; {MOVE.format(site.name)}"
        )  # fmt: skip
    new = [disk for disk in wish.disks if disk not in group.disks]
    commands = "; ".join(
        f"zpool attach {site.name} {group.vdev.name} {BY_ID}/{disk}" for disk in new
    )
    return impossible(
        title,
        "apply widens no raidz: OpenZFS does so from 2.3 on, one disk at a time, for good, and old "
        f"data keeps its share of parity until it is rewritten. By hand: {commands}",
    )


def _replace(site: Site, slot: Slot, disk: str) -> Step:
    old = slot.vdev.leaves[0]
    ill = site.illness(old)
    if not ill:
        why = "the old disk stays in its place until the new one holds everything"
    else:
        why = f"the old disk {ill}; until the resilver is over the vdev survives less"
    step = Step(
        f"replace {slot.disks[0]} by {disk} in {site.name}",
        Hazard.SAFE,
        f"host.yaml names {disk} in its place; {why}",
        (_ashift(site, "replace", old.handle, f"{BY_ID}/{disk}"),),
        f"while it resilvers: zpool detach {site.name} {BY_ID}/{disk}",
        taking=Taking((disk,)),
    )
    if slot.vdev.kind != "disk":
        return _told(step, f"{slot.disks[0]} is being replaced by {slot.disks[-1]} already")
    return _told_if_busy(site, step)


def _attach(site: Site, kept: list[Slot], disk: str) -> Step:
    whole = [slot for slot in kept if site.is_well(slot) and slot.vdev.kind == "disk"]
    beside = whole[0].vdev if whole else kept[0].vdev.leaves[0]
    step = Step(
        f"attach {disk} to {site.name}, beside {(whole or kept)[0].disks[0]}",
        Hazard.SAFE,
        "host.yaml has one more copy there; the pool is slower while it is made",
        (_ashift(site, "attach", beside.handle, f"{BY_ID}/{disk}"),),
        f"zpool detach {site.name} {BY_ID}/{disk}",
        taking=Taking((disk,)),
    )
    if not whole:
        return _told(step, f"none of the disks beside it is whole: {_ill(site, kept)}")
    return _told_if_busy(site, step)


def _detach(site: Site, group: Group, slot: Slot, leaving: list[Slot]) -> Step:
    staying = [other for other in group.slots if other not in leaving]
    left = sum(map(site.is_well, staying)) - 1
    loses = f"{left} of {len(staying)} may still fail" if left else "no disk may fail any more"
    back = staying[0].vdev.leaves[0].handle if staying else "DISK"
    step = Step(
        f"detach {slot.disks[0]} from {site.name}",
        Hazard.DISRUPTIVE,
        f"host.yaml does not name it; of this mirror {loses}",
        (("zpool", "detach", site.name, slot.vdev.leaves[0].handle),),
        f"zpool attach {site.name} {back} {BY_ID}/{slot.disks[0]}",
    )
    if left < 0:
        return _told(step, f"none of the disks that would stay is whole: {_ill(site, staying)}")
    return _told_if_busy(site, step)


def _ill(site: Site, slots: list[Slot]) -> str:
    found = (
        f"{disk} {ill}"
        for slot in slots
        for disk, leaf in zip(slot.disks, slot.vdev.leaves, strict=True)
        if (ill := site.illness(leaf))
    )
    return f"{', '.join(found)}; mend the mirror first"


def _ashift(site: Site, verb: str, *disks: str) -> tuple[str, ...]:
    return ("zpool", verb, "-o", f"ashift={site.body.ashift}", site.name, *disks)


def _told_if_busy(site: Site, step: Step) -> Step:
    return _told(step, site.busy) if site.busy else step


def _told(step: Step, why: str) -> Step:
    return Step(step.title, Hazard.IMPOSSIBLE, why, step.commands, taking=step.taking)
