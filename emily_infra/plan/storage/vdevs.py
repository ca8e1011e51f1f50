"""Whole vdevs, spares and cache devices that come and go, and features that may be turned on."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from emily_infra.plan.model import Hazard, Step, Taking
from emily_infra.plan.storage import members
from emily_infra.plan.storage.layout import Group, Wish, unlike, wishes
from emily_infra.plan.storage.newcomers import admitted
from emily_infra.plan.storage.site import MOVE, Site, impossible
from emily_infra.render.storage import BY_ID
from emily_infra.spec.units import approximately

_ASIDE = ("cache", "spare")
_HOLDS = ("data", "special")
_IN_USE = "INUSE"


def steps(site: Site) -> Iterator[Step]:
    """What leads to the layout of host.yaml, in an order that works."""
    changes = [
        (wish, group, list(admitted(site, members.changes(site, wish, group))))
        for wish, group in site.match.pairs
    ]
    later = {id(g): w for w, g, found in changes if all(step.hazard.runs for step in found)}
    yield from (step for _, _, found in changes for step in found)
    yield from _logs_that_go(site)
    yield from admitted(site, _aside(site))
    yield from admitted(site, _that_come(site, later))
    yield from _that_stay(site)
    yield from _sectors(site)
    yield from _features(site)


# --- data, special and log


def _that_come(site: Site, later: Mapping[int, Wish]) -> Iterator[Step]:
    for wish in sorted(site.match.lacking, key=lambda wish: wish.role == "log", reverse=True):
        rivals = [group for group in site.match.surplus if group.role == wish.role != "log"]
        if rivals:
            yield impossible(
                f"{site.name} lacks {wish}",
                f"instead it has {rivals[0]}, and shares no disk with it: change one disk at a "
                "time, or, to have both, write both into host.yaml",
            )
        elif stranger := _unlike(site, wish, later):
            yield impossible(
                f"{site.name} lacks {wish}",
                f"zpool puts it beside {stranger} only by force, for the two do not survive the "
                "same number of failures; a mix is made where host.yaml has both",
            )
        else:
            yield _add(site, wish, uneven=_is_uneven(site, wish))


def _is_uneven(site: Site, wish: Wish) -> bool:
    """Whether host.yaml itself has vdevs that differ; `check` has had its say about that."""
    ours = [each for each in wishes(site.body) if each.role in _HOLDS]
    return wish.role in _HOLDS and any(unlike(wish, each) for each in ours)


def _unlike(site: Site, wish: Wish, later: Mapping[int, Wish]) -> Wish | Group | None:
    """A vdev of the pool, those that change as they will be LATER, that zpool minds beside WISH."""
    if wish.role not in _HOLDS or _is_uneven(site, wish):
        return None
    held = [later.get(id(group), group) for group in site.groups if group.role in _HOLDS]
    if any(unlike(one, other) for one, other in pairwise(held)):
        return None  # zpool does not mind it in a pool where it is so already
    return next((each for each in held if unlike(wish, each)), None)


def _add(site: Site, wish: Wish, *, uneven: bool) -> Step:
    words = [*([] if wish.role == "data" else [wish.role])]
    words += [] if wish.kind == "disk" else [wish.kind]
    disks = [f"{BY_ID}/{disk}" for disk in wish.disks]
    hazard, why, undo = _weighed(site, wish)
    return Step(
        f"add {wish} to {site.name}",
        hazard,
        f"{why}; rehearsed on the host first (zpool add -n), and only onto blank disks",
        (("zpool", "add", "-o", f"ashift={site.body.ashift}", site.name, *words, *disks),),
        undo,
        word=f"irreversible:{site.name}" if hazard is Hazard.IRREVERSIBLE else "",
        taking=Taking(wish.disks, wish.role, wish.kind, uneven),
    )


def _weighed(site: Site, wish: Wish) -> tuple[Hazard, str, str]:
    if wish.role == "log":
        return Hazard.SAFE, "synchronous writes go there", f"zpool remove {site.name} VDEV"
    holds = "new data is spread over it too"
    if wish.role == "special":
        holds = "new metadata goes there, and losing it loses the pool"
    if site.has_parity or wish.kind.startswith("raidz"):
        return Hazard.IRREVERSIBLE, f"{holds}; it can never be taken out of {site.name} again", ""
    back = f"zpool remove {site.name} VDEV, which moves what it holds to the other vdevs"
    return Hazard.IRREVERSIBLE, f"{holds}; from then on {site.name} depends on it", back


def _that_stay(site: Site) -> Iterator[Step]:
    """Vdevs that host.yaml does not know of: data is on them."""
    for group in site.match.surplus:
        if group.role != "log":
            yield _surplus(site, group)
    for group in site.groups:
        if group.role == "dedup":
            yield impossible(
                f"{site.name} has {group}", "host.yaml has no word for it; it is left alone"
            )


def _surplus(site: Site, group: Group) -> Step:
    title = f"{site.name} has {group}"
    if any(wish.role == group.role for wish in site.match.lacking):
        return impossible(title, "host.yaml names none of its disks; it is left alone")
    if site.has_parity:
        return impossible(
            title,
            "host.yaml does not know of it, and out of a pool with raidz ZFS removes no vdev that "
            f"holds data. Write it into host.yaml; or {MOVE.format(site.name)}",
        )
    if group.role == "data" and sum(other.role == "data" for other in site.groups) == 1:
        return impossible(title, f"host.yaml does not know of it; {MOVE.format(site.name)}")
    held = f" ({approximately(group.vdev.allocated)})" if group.vdev.allocated else ""
    return Step(
        title,
        Hazard.IRREVERSIBLE,
        f"host.yaml does not know of it: write it there, or have it removed. Then what it holds"
        f"{held} moves to the other vdevs, which need the room for it",
        (("zpool", "remove", site.name, group.vdev.handle),),
        f"while it moves: zpool remove -s {site.name}",
        word=f"remove:{site.name}",
        offered=True,
    )


def _logs_that_go(site: Site) -> Iterator[Step]:
    for group in site.match.surplus:
        if group.role == "log":
            yield Step(
                f"remove {group} from {site.name}",
                Hazard.SAFE,
                "host.yaml does not name it; synchronous writes go to the data disks",
                (("zpool", "remove", site.name, group.vdev.handle),),
                f"zpool add {site.name} {group}",
            )


# --- spares and cache


def _aside(site: Site) -> Iterator[Step]:
    for role, wished in zip(_ASIDE, (site.body.cache, site.body.spares), strict=True):
        there = site.members(role)
        for disk in there:
            if disk not in wished:
                yield _take_away(site, role, disk)
        for disk in wished:
            if disk not in there:
                yield _put_aside(site, role, disk)


def _take_away(site: Site, role: str, disk: str) -> Step:
    leaf = site.members(role)[disk]
    title = f"remove {role} {disk} from {site.name}"
    if leaf.state == _IN_USE:
        return impossible(
            title,
            "it stands in for another disk now; replace that one first, and it is free again",
        )
    return Step(
        title,
        Hazard.SAFE,
        "host.yaml does not name it; nothing is lost with it",
        (("zpool", "remove", site.name, leaf.handle),),
        f"zpool add {site.name} {role} {BY_ID}/{disk}",
    )


def _put_aside(site: Site, role: str, disk: str) -> Step:
    why = {"cache": "reads that do not fit into memory may come from it",
           "spare": "it takes over when a disk fails"}[role]  # fmt: skip
    return Step(
        f"add {role} {disk} to {site.name}",
        Hazard.SAFE,
        why,
        (("zpool", "add", site.name, role, f"{BY_ID}/{disk}"),),
        f"zpool remove {site.name} {BY_ID}/{disk}",
        taking=Taking((disk,), role, "disk"),
    )


# --- the pool itself


def _sectors(site: Site) -> Iterator[Step]:
    ashift = site.pool.properties.get("ashift")
    if ashift and ashift.value not in ("0", str(site.body.ashift)):
        yield impossible(
            f"{site.name} has ashift {ashift.value}, not {site.body.ashift}",
            "a vdev keeps the sector size that it was made with. Write ashift: "
            f"{ashift.value} into host.yaml; or {MOVE.format(site.name)}",
        )


def _features(site: Site) -> Iterator[Step]:
    """Never needed for what host.yaml asks, so only on request."""
    compatibility = site.pool.properties.get("compatibility")
    off = [name for name, state in site.pool.features.items() if state == "disabled"]
    if not off or (compatibility and compatibility.value not in ("off", "-", "")):
        return
    count = "1 feature" if len(off) == 1 else f"{len(off)} features"
    yield Step(
        f"enable {count} of {site.name}: {', '.join(off)}",
        Hazard.IRREVERSIBLE,
        "its OpenZFS has them and the pool does without. Once they are on, an older OpenZFS cannot "
        "import the pool, and an older generation of this host may have one",
        (("zpool", "upgrade", site.name),),
        word=f"upgrade:{site.name}",
        offered=True,
    )
