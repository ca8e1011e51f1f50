"""Whether a disk that is in no pool may be pulled: pools are not all that a disk is used for."""

from collections.abc import Iterator

from emily_infra.disks.places import Members
from emily_infra.observe.disks import Content, Disk
from emily_infra.render.storage import BY_ID

_DISPENSABLE = ("cache", "spare")


def unclear(members: Members) -> str:
    """Why it is not known which disks the pools are on; nothing where it is."""
    for pool in members.seen.pools:
        if not pool.told:
            return f"zpool does not say on which disks {pool.name} is"
        for leaf in pool.leaves:
            known = members.is_there(leaf) or leaf.path.startswith(f"{BY_ID}/")
            if leaf.kind == "disk" and leaf.role not in _DISPENSABLE and not known:
                called = leaf.path or leaf.name
                return f"{pool.name} is on {called}, and it is not known which disk that is"
    return ""


def uses(disk: Disk) -> Iterator[str]:
    """What is at work on a disk."""
    for name, content in _contents(disk):
        for place in filter(None, content.mounts):
            yield f"{name} is mounted on {place}"
    for part in disk.parts:
        if part.kind != "part":
            yield f"{part.name} ({part.kind}) stands on it"


def carries(disk: Disk) -> Iterator[str]:
    """What lies on a disk."""
    for name, content in _contents(disk):
        if content.filesystem:
            yield f"{name} holds {content.filesystem}"


def _contents(disk: Disk) -> Iterator[tuple[str, Content]]:
    yield disk.name, disk.content
    yield from ((part.name, part.content) for part in disk.parts)
