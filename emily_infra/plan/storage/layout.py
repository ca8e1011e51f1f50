"""Which vdev of a pool is which of host.yaml: they are known by the disks that they share."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from emily_infra.observe.vdevs import Vdev
from emily_infra.spec.storage import Pool
from emily_infra.zfs.shapes import Names

CLASSES = ("data", "special", "log")
_GONE = ("indirect", "hole")


@dataclass(frozen=True)
class Wish:
    """A vdev as host.yaml has it, its disks in the order written."""

    role: str
    kind: str
    disks: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many disks."""
        return len(self.disks)

    @property
    def survives(self) -> int:
        """How many of them may fail."""
        return _survives(self.kind, self.width)

    def __str__(self) -> str:
        return named(self.role, self.kind, self.disks)


@dataclass(frozen=True)
class Slot:
    """A place in a vdev; while its disk is replaced, or stood in for, there are two in it."""

    vdev: Vdev
    disks: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """A vdev as the pool has it."""

    vdev: Vdev
    kind: str
    slots: tuple[Slot, ...]

    @property
    def role(self) -> str:
        """data, special, log, cache and so on."""
        return self.vdev.role

    @property
    def disks(self) -> tuple[str, ...]:
        """Everything that stands in it."""
        return tuple(disk for slot in self.slots for disk in slot.disks)

    @property
    def width(self) -> int:
        """How many disks."""
        return len(self.slots)

    @property
    def survives(self) -> int:
        """How many of them may fail."""
        return _survives(self.kind, self.width)

    def __str__(self) -> str:
        return named(self.role, self.kind, [slot.disks[0] for slot in self.slots])


def _survives(kind: str, width: int) -> int:
    return int(kind[-1]) if kind[-1].isdigit() else width - 1


def named(role: str, kind: str, disks: Sequence[str]) -> str:
    """A vdev as a person says it."""
    words = ([] if role == "data" else [role]) + ([] if kind == "disk" else [kind])
    return " ".join([*words, *disks])


@dataclass
class Match:
    """What belongs together, and what stands alone on either side."""

    pairs: list[tuple[Wish, Group]] = field(default_factory=list)
    lacking: list[Wish] = field(default_factory=list)
    surplus: list[Group] = field(default_factory=list)


def unlike(one: Wish | Group, other: Wish | Group) -> bool:
    """Whether zpool minds the two in one pool: it wants every vdev to survive as much."""
    if one.kind == other.kind:
        return one.width != other.width
    return "disk" in (one.kind, other.kind) or one.survives != other.survives


def wishes(body: Pool) -> list[Wish]:
    """The vdevs that host.yaml asks for."""
    return [Wish(role, vdev.kind, tuple(vdev.disks)) for role, _, vdev in body.vdevs]


def groups(vdevs: Sequence[Vdev], names: Names) -> list[Group]:
    """The vdevs that a pool has; what was removed leaves an entry without disks behind."""
    return [_group(vdev, names) for vdev in vdevs if vdev.kind not in _GONE]


def _group(vdev: Vdev, names: Names) -> Group:
    stands_alone = vdev.kind in ("replacing", "spare") or not vdev.children
    slots = (vdev,) if stands_alone else vdev.children
    kind = "disk" if stands_alone else {"raidz": "raidz1"}.get(vdev.kind, vdev.kind)
    return Group(vdev, kind, tuple(Slot(each, tuple(map(names.of, each.leaves))) for each in slots))


def match(wished: Sequence[Wish], found: Sequence[Group]) -> Match:
    """Those that share the most disks belong together; a disk alone, by its place."""
    shared = sorted(
        (-len(set(wish.disks) & set(group.disks)), w, g)
        for w, wish in enumerate(wished)
        for g, group in enumerate(found)
        if wish.role == group.role
    )
    result = Match()
    by_wish: dict[int, int] = {}
    for overlap, w, g in shared:
        if overlap and w not in by_wish and g not in by_wish.values():
            by_wish[w] = g
    for _, w, g in shared:
        single = wished[w].kind == found[g].kind == "disk" and wished[w].role != "log"
        if single and w not in by_wish and g not in by_wish.values():
            by_wish[w] = g
    result.pairs = [(wished[w], found[g]) for w, g in sorted(by_wish.items())]
    result.lacking = [wish for w, wish in enumerate(wished) if w not in by_wish]
    alone = (group for g, group in enumerate(found) if g not in by_wish.values())
    result.surplus = [group for group in alone if group.role in CLASSES]
    return result


def in_place(missing: Sequence[str], wish: Wish, group: Group) -> list[tuple[str, Slot]]:
    """Which disk takes whose place: the one that stands where it is written, else in turn."""
    free = [slot for slot in group.slots if not set(slot.disks) & set(wish.disks)]
    chosen: list[tuple[str, Slot]] = []
    rest: list[str] = []
    for disk in missing:
        at = wish.disks.index(disk)
        slot = group.slots[at] if at < len(group.slots) else None
        if slot in free and slot is not None:
            free.remove(slot)
            chosen.append((disk, slot))
        else:
            rest.append(disk)
    return [*chosen, *zip(rest, free, strict=False)]
