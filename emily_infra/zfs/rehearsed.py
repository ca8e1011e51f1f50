"""What zpool prints of a layout that it would make: the tree of `create -n` and of `add -n`."""

import re
from collections.abc import Iterator

from emily_infra.zfs.shapes import Shape

_GROUP = re.compile(r"(mirror|raidz[123]?|draid[123]?)(?:[:-].*)?")
_CLASSES = {"special": "special", "dedup": "dedup", "logs": "log", "cache": "cache",
            "spares": "spare"}  # fmt: skip


def layout(said: str) -> Iterator[Shape]:
    """Two columns to a level, below the pool or a class; the first line is a sentence."""
    role, kind, disks = "data", "", list[str]()
    for line in said.splitlines()[1:]:
        body = line.removeprefix("\t").rstrip()
        name = body.lstrip(" ")
        depth = (len(body) - len(name)) // 2
        if not name:
            continue
        if kind and depth > 1:
            disks.append(name)
            continue
        if kind:
            yield Shape(role, kind, tuple(sorted(disks)))
        group = _GROUP.fullmatch(name) if depth else None
        kind, disks = group[1] if group else "", []
        if not depth:
            role = _CLASSES.get(name, "data")
        elif not group:
            yield Shape(role, "disk", (name,))
    if kind:
        yield Shape(role, kind, tuple(sorted(disks)))
