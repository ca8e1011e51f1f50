"""Pools of our own making, as zpool shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.storage.hardware import BY_ID


@dataclass
class Leaf:
    """A member of a pool."""

    path: str
    state: str = "ONLINE"
    note: str = ""
    errors: int = 0


Tree = list[tuple[str, str, list["Leaf | list[Leaf]"]]]
"""Role, kind and members; a list in a list is a disk that is being replaced, and the new one."""


@dataclass
class FakePool:
    """An imported pool."""

    name: str
    vdevs: Tree
    datasets: list[str]
    age: float = 2.0
    scan: str = "  scan: none requested\n"
    ashift: str = "12"
    altroot: str = "-"

    def leaves(self) -> Iterator[Leaf]:
        for _, _, members in self.vdevs:
            for each in members:
                yield from each if isinstance(each, list) else [each]


def resilver(percent: float, since: int) -> str:
    """The lines of a resilver that runs."""
    begun = datetime.fromtimestamp(since, UTC).strftime("%a %b %e %H:%M:%S %Y")
    return (
        f"  scan: resilver in progress since {begun}\n"
        f"\t1.51T / 9T scanned, 803G / 9.02T issued at 474M/s\n"
        f"\t57.3G resilvered, {percent:.2f}% done, 05:03:46 to go\n"
    )


def listed(pool: FakePool) -> Iterator[str]:
    """Its lines of `zpool status`."""
    yield f"\t{pool.name}  ONLINE  0  0  0\n"
    heads = {"log": "logs", "spare": "spares"}
    role = "data"
    for number, (its, kind, members) in enumerate(pool.vdevs):
        if its != role:
            yield f"\t{heads.get(its, its)}\n"
            role = its
        depth = 2
        if kind != "disk":
            yield f"\t  {kind}-{number}  ONLINE  0  0  0\n"
            depth = 4
        for at, each in enumerate(members):
            if isinstance(each, list):
                yield f"\t{' ' * depth}replacing-{at}  DEGRADED  0  0  0\n"
                yield from (_row(leaf, depth + 2) for leaf in each)
            else:
                yield _row(each, depth)


def _row(leaf: Leaf, depth: int) -> str:
    return f"\t{' ' * depth}{leaf.path}  {leaf.state}  0  0  {leaf.errors}  {leaf.note}\n"


def tree(words: list[str]) -> Tree:
    """The vdevs of a command line."""
    found: Tree = []
    role, kind = "data", "disk"
    for word in words:
        if word in ("special", "log", "cache", "spare"):
            role, kind = word, "disk"
        elif word.startswith("/dev"):
            leaf = Leaf(word if "-part" in word else f"{word}-part1")
            if kind == "disk" or not found or found[-1][1] != kind:
                found.append((role, kind, [leaf]))
            else:
                found[-1][2].append(leaf)
        else:
            kind = word
            found.append((role, kind, []))
    return [each for each in found if each[2]]


def understood(name: str, vdevs: Tree) -> str:
    """As `zpool create -n` prints it."""
    heads = {"log": "logs", "spare": "spares"}
    lines, role = [f"\t{name}"], "data"
    for its, kind, members in vdevs:
        if its != role:
            lines.append(f"\t{heads.get(its, its)}")
            role = its
        names = [each.path.removeprefix(BY_ID) for each in members if isinstance(each, Leaf)]
        names = [each.removesuffix("-part1") for each in names]
        if kind == "disk":
            lines += [f"\t  {each}" for each in names]
        else:
            lines += [f"\t  {kind}", *(f"\t    {each}" for each in names)]
    return f"would create '{name}' with the following layout:\n\n" + "\n".join(lines) + "\n"
