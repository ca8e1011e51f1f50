"""How a pool is built: as host.yaml asks for it, and as it is found."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from emily_infra.observe.vdevs import Vdev
from emily_infra.spec.storage import Pool


@dataclass(frozen=True, order=True)
class Shape:
    """A vdev as both sides can be compared by."""

    role: str
    kind: str
    disks: tuple[str, ...]

    def __str__(self) -> str:
        role = "" if self.role == "data" else f"{self.role} "
        return f"{role}{self.kind} {' '.join(self.disks)}"


def declared_shapes(body: Pool) -> Iterator[Shape]:
    """The vdevs that host.yaml asks for."""
    for role, _, vdev in body.vdevs:
        yield Shape(role, vdev.kind, tuple(sorted(vdev.disks)))
    yield from (Shape("cache", "disk", (disk,)) for disk in body.cache)
    yield from (Shape("spare", "disk", (disk,)) for disk in body.spares)


def found_shapes(vdevs: tuple[Vdev, ...], names: "Names") -> Iterator[Shape]:
    """The vdevs that a pool has."""
    for vdev in vdevs:
        if vdev.kind not in ("indirect", "hole"):
            disks = {names.of(leaf) for leaf in members_of(vdev)}
            yield Shape(vdev.role, vdev.kind, tuple(sorted(disks)))


def members_of(vdev: Vdev) -> Iterator[Vdev]:
    """The disks that belong there: of one that is being replaced the first, not its stand-in."""
    if vdev.kind in ("replacing", "spare") and vdev.children:
        yield vdev.leaves[0]
    elif vdev.children:
        for child in vdev.children:
            yield from members_of(child)
    else:
        yield vdev


@dataclass(frozen=True)
class Names:
    """By which of its names under /dev/disk/by-id host.yaml calls a disk."""

    known: Mapping[str, tuple[str, ...]]
    declared: Set[str]

    def of(self, leaf: Vdev) -> str:
        """The name in host.yaml, or the one that the pool has. ZFS partitions a whole disk."""
        own = leaf.path.removesuffix("/old").rpartition("/")[2] or leaf.name
        others = (names for kernel, names in self.known.items() if own in (kernel, *names))
        for name in (own, *(name for names in others for name in names)):
            for candidate in (name, name.removesuffix("-part1")):
                if candidate in self.declared:
                    return candidate
        return own
