"""The vdevs of a pool of our own making: as a command names them, as ZFS shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from emily_infra.observe.vdevs import Vdev

BY_ID = "/dev/disk/by-id/"


@dataclass
class Top:
    """A vdev."""

    role: str
    kind: str
    disks: list[str]

    @property
    def survives(self) -> int:
        return int(self.kind[-1]) if self.kind.startswith("raidz") else len(self.disks) - 1

    def differs(self, other: "Top") -> bool:
        if self.kind == other.kind:
            return len(self.disks) != len(other.disks)
        return "disk" in (self.kind, other.kind) or self.survives != other.survives


def named(words: Sequence[str]) -> Iterator[Top]:
    """Those of a command line."""
    role, found = "data", None
    for word in words:
        if word in ("special", "log", "cache", "spare"):
            role, found = word, None
        elif not word.startswith("/"):
            found = Top(role, word, [])
            yield found
        elif found:
            found.disks.append(plain(word))
        else:
            yield Top(role, "disk", [plain(word)])


def shown(name: str, tops: Sequence[Top]) -> str:
    """As `zpool add -n` prints it: the pool with its data, then each class."""
    lines = [f"would update '{name}' to the following configuration:", ""]
    for role, head in (("data", name), ("special", "special"), ("log", "logs")):
        own = [top for top in tops if top.role == role]
        lines += [f"\t{head}"] if own else []
        for index, top in enumerate(own):
            lines += [f"\t  {top.kind}-{index}"] if top.kind != "disk" else []
            lines += [f"\t{'    ' if top.kind != 'disk' else '  '}{disk}" for disk in top.disks]
    return "\n".join(lines)


def plain(path: str) -> str:
    """A disk's name."""
    assert not path.endswith("-part1"), "only whole disks come"
    return path.removeprefix(BY_ID)


def guid(name: str) -> str:
    """The number that ZFS has for a disk, or for the group that begins with it."""
    return str(10**15 + crc32(name.encode()))


def guid_of(top: Top) -> str:
    """A vdev's number."""
    return guid(top.disks[0] if top.kind == "disk" else f"{top.kind} {top.disks[0]}")


def observed(top: Top, index: int) -> Vdev:
    """What is seen of it."""
    states = {"spare": "AVAIL"}
    leaves = tuple(
        Vdev(f"{BY_ID}{disk}-part1", "disk", top.role, states.get(top.role, "ONLINE"),
             path=f"{BY_ID}{disk}-part1", guid=guid(disk))
        for disk in top.disks
    )  # fmt: skip
    if top.kind == "disk":
        return leaves[0]
    return Vdev(f"{top.kind}-{index}", top.kind, top.role, "ONLINE", guid=guid_of(top),
                children=leaves)  # fmt: skip
