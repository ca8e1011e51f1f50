"""Layouts of a pool's own disks, as a person writes them to compare: `raidz2x7x2`, `mirror`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from emily_infra.errors import EmilyError
from emily_infra.spec.base import shown
from emily_infra.spec.storage import Pool
from emily_infra.zfs.capacity import Capacity, predict
from emily_infra.zfs.geometry import Copies, Draid, Layout, Raidz
from emily_infra.zfs.members import Disks
from emily_infra.zfs.vdev import Top, laid, layout

EXAMPLES = "such as raidz2x7x2, mirror, mirror3, stripe, draid2:5d:14c:1s"
MOST_LAYOUTS = 20
WIDEST = 255
"""Disks of a raidz or dRAID (VDEV_RAIDZ_MAXCHILDREN, VDEV_DRAID_MAX_CHILDREN)."""
_BLOCKS = re.compile(r"(mirror|raidz[123])x(\d{1,4})x(\d{1,4})")
_PAIRS = re.compile(r"mirror([2-9]?)")
_DRAID = re.compile(r"draid([123]?)((?::\d{1,4}[dcs])*)")


class NoLayout(EmilyError):
    """A layout that cannot be understood, or not be made of these disks."""

    code = "CAP001"


@dataclass(frozen=True)
class Group:
    """A data vdev to be: its shape, and its disks."""

    layout: Layout
    members: tuple[str, ...]


@dataclass(frozen=True)
class Stock:
    """A pool whose disks are to be laid out anew."""

    name: str
    pool: Pool
    disks: Disks

    @property
    def own(self) -> tuple[str, ...]:
        """The members of the data vdevs in their order, then the spares."""
        return (*(name for vdev in self.pool.data for name in vdev.disks), *self.pool.spares)

    @property
    def present(self) -> tuple[Group, ...]:
        """The data vdevs as host.yaml has them."""
        return tuple(Group(layout(vdev, self.pool.ashift), vdev.disks) for vdev in self.pool.data)

    def groups(self, name: str) -> tuple[Group, ...]:
        """The data vdevs that NAME asks for, made of the pool's own disks in their order."""
        own = iter(self.own)
        shapes = _shapes(name, self.pool.ashift, len(self.own))
        if (needed := sum(shape.width for shape in shapes)) > len(self.own):
            why = f"takes {_disks(needed)}, and {self.name} has {len(self.own)}, spares included"
            raise _no(name, why, "name fewer vdevs, or narrower ones")
        return tuple(Group(shape, tuple(islice(own, shape.width))) for shape in shapes)

    def lay(self, name: str, data: Sequence[Group]) -> "Laid | None":
        """The pool with these data vdevs, the special ones as they are.

        Nothing where a member is unknown.
        """
        fast = [Group(layout(vdev, self.pool.ashift), vdev.disks) for vdev in self.pool.special]
        tops, special = self._tops(data), self._tops(fast)
        if tops is None or special is None:
            return None
        left = len(self.own) - sum(group.layout.width for group in data)
        return Laid(name, predict(tops, special), left)

    def _tops(self, groups: Sequence[Group]) -> list[Top] | None:
        found = [laid(group.layout, group.members, self.disks) for group in groups]
        known = [top for top in found if top]
        return known if len(known) == len(found) else None


@dataclass(frozen=True)
class Laid:
    """The disks of a pool in one layout."""

    name: str
    capacity: Capacity
    spares: int


def wanted(text: str) -> tuple[str, ...]:
    """The layouts that `--compare` names, each once."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if len(names) > MOST_LAYOUTS:
        raise NoLayout(f"--compare: {len(names)} layouts", hint=f"name at most {MOST_LAYOUTS}")
    return names


def _shapes(name: str, ashift: int, disks: int) -> Sequence[Layout]:
    if name == "stripe":
        return [Copies(ashift, 1)] * disks
    if found := _PAIRS.fullmatch(name):
        return _mirrors(name, ashift, int(found[1] or 2), disks)
    if found := _BLOCKS.fullmatch(name):
        return _blocks(name, ashift, found)
    if found := _DRAID.fullmatch(name):
        return [_draid(name, ashift, found, disks)]
    raise _no(name, "is no layout", f"write KINDxWIDTHxCOUNT or one word, {EXAMPLES}")


def _mirrors(name: str, ashift: int, copies: int, disks: int) -> list[Layout]:
    if disks < copies:
        raise _no(name, f"takes {copies} disks, and the pool has {disks}", "name another layout")
    return [Copies(ashift, copies)] * (disks // copies)


def _blocks(name: str, ashift: int, found: re.Match[str]) -> list[Layout]:
    kind, width, count = found[1], int(found[2]), int(found[3])
    parity = int(kind[-1]) if kind[-1].isdigit() else 1
    if width <= parity:
        hint = f"{kind} takes {parity + 1} disks or more in a vdev: {kind}x{parity + 1}x{count}"
        raise _no(name, f"a {kind} of {_disks(width)} does not exist", hint)
    if kind != "mirror" and width > WIDEST:
        raise _no(name, f"ZFS makes no {kind} wider than {WIDEST}", f"{kind}x{WIDEST}x{count}")
    if not count:
        raise _no(name, "has no vdev", f"the last number is how many: {kind}x{width}x1")
    shape = Copies(ashift, width) if kind == "mirror" else Raidz(ashift, width, parity)
    return [shape] * count


def _draid(name: str, ashift: int, found: re.Match[str], disks: int) -> Layout:
    """The defaults are those of `zpool create` (zpoolconcepts(7))."""
    numbers = {part[-1]: int(part[:-1]) for part in found[2].split(":")[1:]}
    if len(numbers) < found[2].count(":"):
        raise _no(name, "says one number twice", "c is all disks, d data of a stripe, s spares")
    parity, children, spares = int(found[1] or 1), numbers.get("c", disks), numbers.get("s", 0)
    data = numbers.get("d", max(1, min(8, children - spares - parity)))
    if not data:
        raise _no(name, "has stripes without data", f"draid{parity}:1d is the least")
    if data + parity + spares > children:
        message = f"{_disks(children)} are less than {data} + {parity} + {spares} for data, parity "
        hint = "let c be at least d, the parity and s together"
        raise _no(name, f"{message}and spares", hint)
    if children > WIDEST:
        raise _no(name, f"ZFS makes no dRAID wider than {WIDEST}", "use several vdevs")
    return Draid(ashift, children, parity, data, spares)


def _disks(count: int) -> str:
    return f"{count} disk{'' if count == 1 else 's'}"


def _no(name: str, why: str, hint: str) -> NoLayout:
    return NoLayout(f"--compare: {shown(name)} {why}", hint=hint)
