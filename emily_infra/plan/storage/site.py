"""One pool of host.yaml beside the same pool of the machine, and what its steps have in common."""

from dataclasses import dataclass
from functools import cached_property

from emily_infra.disks.places import Members
from emily_infra.disks.redundancy import Redundancy
from emily_infra.observe import Observation
from emily_infra.observe.pools import Pool
from emily_infra.observe.vdevs import Vdev
from emily_infra.plan.model import Hazard, Step
from emily_infra.plan.storage.layout import Group, Match, Slot, groups, match, wishes
from emily_infra.spec import storage
from emily_infra.zfs.shapes import Names, declared_shapes

MOVE = (
    "the way round: make a new pool beside it, zfs snapshot -r {0}@move, "
    "zfs send -R {0}@move | zfs receive -u NEW/{0}, and then point host.yaml there"
)
_WITH_PARITY = ("raidz", "draid")


@dataclass(frozen=True)
class Site:
    """A pool that both sides know."""

    body: storage.Pool
    pool: Pool
    storage: storage.Storage
    seen: Observation

    @property
    def name(self) -> str:
        """The pool's."""
        return self.pool.name

    @cached_property
    def names(self) -> Names:
        """How host.yaml calls what the pool is made of."""
        ours = {disk for shape in declared_shapes(self.body) for disk in shape.disks}
        whole = {name for name, disk in self.storage.disks.items() if not disk.partitions}
        return Names(self.seen.device_names, ours | whole)

    @cached_property
    def groups(self) -> list[Group]:
        """The vdevs that the machine has."""
        return groups(self.pool.vdevs, self.names)

    @cached_property
    def match(self) -> Match:
        """Data, special and log vdevs of both sides, put together."""
        return match(wishes(self.body), self.groups)

    @property
    def has_parity(self) -> bool:
        """Whether it has a raidz: then none of its vdevs can ever be taken out again."""
        return any(
            group.kind.startswith(_WITH_PARITY) and group.role != "log" for group in self.groups
        )

    @property
    def busy(self) -> str:
        """Why no disk may come or go now; nothing where one may."""
        checkpoint = self.pool.properties.get("checkpoint")
        if checkpoint and checkpoint.value not in ("-", "", "0"):
            return (
                f"{self.name} has a checkpoint, and until it is gone no disk may come or go: "
                f"zpool checkpoint -d {self.name} gives it up"
            )
        if self.pool.leaving:
            return (
                f"{self.pool.leaving} is being removed, and until it is gone ZFS takes no disk "
                f"beside another: zpool status {self.name}"
            )
        for scan in self.pool.scans:
            if scan.kind == "resilver" and scan.state == "running":
                done = f", {scan.percent:.0f} % done" if scan.percent is not None else ""
                return f"a resilver is running{done}; plan again when it is over"
        return ""

    @cached_property
    def _redundancy(self) -> Redundancy:
        return Redundancy(self.pool, Members(self.storage, self.seen).is_there)

    def illness(self, leaf: Vdev) -> str:
        """Why nothing is to rest on a disk; nothing where it may. ZFS's own word is not enough."""
        return self._redundancy.why_not_whole(leaf) or ("has had errors" if leaf.errors else "")

    def is_well(self, slot: Slot) -> bool:
        """Whether a disk stands there that holds all that belongs there."""
        return not all(map(self.illness, slot.vdev.leaves))

    def members(self, role: str) -> dict[str, Vdev]:
        """The spares, or the cache devices, each by its name in host.yaml."""
        return {group.disks[0]: group.vdev.leaves[0] for group in self.groups if group.role == role}


def impossible(title: str, why: str) -> Step:
    """What apply cannot do, and the way round."""
    return Step(title, Hazard.IMPOSSIBLE, why)
