"""A disk taken out of its pools, as long as they can do without it."""

from collections.abc import Iterator
from dataclasses import dataclass

from emily_infra.disks.faults import NoSuchDisk, OtherwiseMeant, TooFewLeft, Unknown
from emily_infra.disks.known import known_pools
from emily_infra.disks.places import Members
from emily_infra.disks.pulling import carries, unclear, uses
from emily_infra.disks.redundancy import Redundancy
from emily_infra.machine import Machine
from emily_infra.observe import Observation, Question, observe
from emily_infra.observe.pools import Pool
from emily_infra.observe.vdevs import Vdev
from emily_infra.spec.host import Host
from emily_infra.spec.storage import Storage
from emily_infra.storage import record
from emily_infra.storage.create import unlocked
from emily_infra.zfs.commands import Command

PATIENCE = 30
_OUT = ("OFFLINE",)


@dataclass(frozen=True)
class Leaving:
    """A member of a pool that is to go."""

    pool: Pool
    leaf: Vdev
    left: int
    """How many more members of its vdev may fail once it is gone."""

    @property
    def command(self) -> Command:
        """What takes it out."""
        return ("zpool", "offline", self.pool.name, self.leaf.guid or self.leaf.path)


def leaving(spec: Storage, disk: str, seen: Observation) -> tuple[Leaving, ...]:
    """The members to take out, none where all are; TooFewLeft where a pool needs one of them."""
    members = Members(spec, seen)
    found = list(members.on(disk))
    if not found:
        _nowhere(disk, members)
    return tuple(_judged(found, members))


def _nowhere(disk: str, members: Members) -> None:
    known = sorted({*members.spec.disks, *(i for each in members.seen.disks for i in each.ids)})
    if disk not in known:
        raise NoSuchDisk(
            f"neither host.yaml nor the machine knows of a disk {disk}",
            hint="list them: emily-infra disk list HOST",
        )
    if why := unclear(members):
        raise Unknown(f"{why}: perhaps {disk}", hint="compare: zpool status -P; lsblk")
    found, text = members.by_id(disk), f"no pool has anything on {disk}"
    if found is None:
        raise NoSuchDisk(
            f"{text}, and the machine does not see it", hint="list: emily-infra disk list HOST"
        )
    if used := [*uses(found), *carries(found)]:
        raise NoSuchDisk(f"{text}, but {'; '.join(used)}", hint=f"lsblk -f /dev/{found.name}")
    raise NoSuchDisk(text, hint="it may be pulled as it is")


def _judged(found: list[tuple[Pool, Vdev]], members: Members) -> Iterator[Leaving]:
    for pool, leaf in found:
        if leaf.state in _OUT:
            continue
        if leaf.role in ("cache", "spare"):
            raise TooFewLeft(
                f"{leaf.path} is a {leaf.role} of {pool.name}: ZFS takes none offline",
                hint=f"take it out of the pool: zpool remove {pool.name} {leaf.path}",
            )
        redundancy = Redundancy(pool, members.is_there)
        if why := redundancy.why_not_without(leaf):
            raise TooFewLeft(why, hint=f"zpool status -v {pool.name}; replace what is ill there")
        yield Leaving(pool, leaf, redundancy.left(redundancy.top(leaf), without=leaf))


def look(machine: Machine, host: Host) -> Observation:
    """The machine, if nobody else changes it."""
    seen = observe(machine, Question(patience=PATIENCE))
    unlocked(host.name, seen)
    known_pools(host.name, seen)
    return seen


def offline(machine: Machine, host: Host, disk: str) -> tuple[Leaving, ...]:
    """Take it out, member by member, each after a look of its own."""
    done: list[Leaving] = []
    while todo := leaving(host.spec.storage, disk, look(machine, host)):
        first = todo[0]
        if any(first.leaf.path == each.leaf.path for each in done):
            raise OtherwiseMeant(
                f"zpool offline ended well, and {first.leaf.path} is {first.leaf.state}",
                hint=f"zpool status -v {first.pool.name}",
            )
        _alive(machine, first.pool)
        machine.run(*first.command, deadline=60)
        record.note(machine, "offlined", pool=first.pool.name, disk=disk, path=first.leaf.path)
        done.append(first)
    return tuple(done)


def _alive(machine: Machine, pool: Pool) -> None:
    """Where the kernel keeps no list of transaction groups, one has to come about now."""
    if pool.committed_age is None:
        machine.run("zpool", "sync", pool.name, deadline=60)
