"""How many more disks a vdev may lose, from the tree of the pool and not from its health word.

A member counts as whole if ZFS calls it ONLINE, the machine still has its device, and nothing is
owed to it by a resilver. What is unclear counts as lost.
"""

from collections.abc import Callable
from dataclasses import dataclass

from emily_infra.observe.pools import Pool, standstill
from emily_infra.observe.vdevs import Vdev

IsThere = Callable[[Vdev], bool]
_STANDING_IN = ("replacing", "spare")
_RESILVER = "resilver"
"""Of the notes `(resilvering)` and `(awaiting resilver)`."""


@dataclass(frozen=True)
class Redundancy:
    """A pool and which of its devices the machine has."""

    pool: Pool
    is_there: IsThere

    def left(self, top: Vdev, *, without: Vdev | None = None) -> int:
        """How many more members of a top-level vdev may fail; below 0 its data is out of reach."""
        members = top.children or (top,)
        whole = sum(self._is_whole(member, without) for member in members)
        missing = len(members) - whole + (1 if top.children and self._is_unclear else 0)
        return _survives(top) - missing

    def top(self, leaf: Vdev) -> Vdev:
        """The top-level vdev that a disk is in."""
        return next(top for top in self.pool.vdevs if leaf in top.leaves)

    def why_not_without(self, leaf: Vdev) -> str:
        """Why the pool cannot do without a disk; nothing where it can."""
        if why := standstill(self.pool) if self.pool.told else "zpool does not tell of it":
            return why
        for top in self.pool.vdevs:
            if self._holds_data(top) and self.left(top) < 0:
                return f"{top.name} of {self.pool.name} has lost more disks than it may already"
        top = self.top(leaf)
        if top.role == "log":
            return ""  # ZFS moves what is in it to the data disks first
        left = self.left(top, without=leaf)
        if left < 0:
            return f"without it {top.name} of {self.pool.name} {self._short_of(top)}"
        worn = [each.name for each in top.leaves if each != leaf and each.errors]
        if not left and worn:
            names = ", ".join(name.rpartition("/")[2] for name in worn)
            return (
                f"{top.name} of {self.pool.name} would rest on {names}, which has had errors; "
                "scrub first, and replace the worse disk first"
            )
        return ""

    def why_not_filled(self, top: Vdev) -> str:
        """Why no new disk can be filled from what a vdev has; nothing where one can."""
        if why := standstill(self.pool) if self.pool.told else "zpool does not tell of it":
            return why
        if self.left(top) < 0 and not self._is_unclear:
            return f"{top.name} of {self.pool.name} has lost more disks than it may: the data of " \
                   "the disk that goes is nowhere else"  # fmt: skip
        return ""

    def _short_of(self, top: Vdev) -> str:
        if not _survives(top):
            return "is gone, and the pool with it: it has no redundancy"
        now, all_of_them = max(self.left(top), 0), _survives(top)
        may = f"of {all_of_them} disks" if all_of_them > 1 else "of the one disk"
        why = ", for a resilver is not over" if self._is_resilvering else ""
        return f"is gone, and the pool with it: {may} that it may lose {now} remain{why}"

    def _holds_data(self, top: Vdev) -> bool:
        return top.role in ("data", "special", "dedup") and top.kind not in ("indirect", "hole")

    @property
    def _is_resilvering(self) -> bool:
        return any(each.kind == _RESILVER and each.state in ("running", "paused")
                   for each in self.pool.scans)  # fmt: skip

    @property
    def _is_unclear(self) -> bool:
        """A resilver that has just begun does not say yet which disks it is for."""
        noted = any(_RESILVER in leaf.note for leaf in self.pool.leaves)
        return self._is_resilvering and not noted

    def _is_whole(self, vdev: Vdev, without: Vdev | None) -> bool:
        if vdev == without:
            return False
        if vdev.kind in _STANDING_IN and vdev.children:
            return any(self._is_whole(child, without) for child in vdev.children)
        if vdev.children:
            return self.left(vdev, without=without) >= 0
        return not self.why_not_whole(vdev)

    def why_not_whole(self, leaf: Vdev) -> str:
        """Why a disk does not hold all that it ought to; nothing where it does."""
        if leaf.state != "ONLINE":
            return f"is {leaf.state}"
        if not self.is_there(leaf):
            return "is gone, though ZFS still calls it ONLINE"
        return "is not resilvered yet" if _RESILVER in leaf.note else ""


def _survives(top: Vdev) -> int:
    """How many of its members a vdev may lose by its kind."""
    if top.kind == "mirror":
        return len(top.children) - 1
    return int(top.kind[-1]) if top.kind[-1].isdigit() else 0
