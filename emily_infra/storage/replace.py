"""A disk that takes the place of another one: begun, followed, and written into host.yaml.

Where it stands is read from the pool each time, so it can be left and taken up again anywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from emily_infra.disks import partitions
from emily_infra.disks.blank import Guard, Report
from emily_infra.disks.faults import NoSuchDisk, NotTaken, TooFewLeft
from emily_infra.disks.known import known_pools
from emily_infra.disks.places import Members, Place
from emily_infra.disks.redundancy import Redundancy
from emily_infra.machine import Machine
from emily_infra.observe import Observation, Question, observe
from emily_infra.observe.disks import Disk
from emily_infra.observe.pools import Pool
from emily_infra.observe.vdevs import Vdev
from emily_infra.render.storage import BY_ID
from emily_infra.spec.host import Host
from emily_infra.spec.units import Size, approximately
from emily_infra.storage import record
from emily_infra.storage.create import (
    PATIENCE,
    Tell,
    make_formats,
    partition,
    unlocked,
)
from emily_infra.zfs.commands import Command

_WHOLE = ("", "1")
"""ZFS makes a partition of its own on a disk that it gets as a whole."""
_UNITS = (10**12, 10**9)


@dataclass(frozen=True)
class Member:
    """One place of the old disk in a pool, and who is there now."""

    pool: Pool
    leaf: Vdev
    suffix: str = ""
    """-part3 where it is a partition."""
    new: Vdev | None = None
    """The disk that is being filled, or that has taken the place."""
    is_done: bool = False

    @property
    def is_begun(self) -> bool:
        """Whether zpool was told already."""
        return self.new is not None


@dataclass(frozen=True)
class Standing:
    """How far a replacement has come."""

    seen: Observation
    members: tuple[Member, ...]

    @property
    def is_done(self) -> bool:
        """Whether the new disk is the only one in every place."""
        return bool(self.members) and all(each.is_done for each in self.members)

    @property
    def is_begun(self) -> bool:
        """Whether every place is the new disk's, or becomes it."""
        return bool(self.members) and all(each.is_begun for each in self.members)


@dataclass(frozen=True)
class Replacement:
    """OLD makes room for NEW."""

    machine: Machine
    host: Host
    old: str
    new: str
    tell: Tell = lambda _: None

    def look(self) -> Standing:
        """How things are now; the new disk is read for what is on it."""
        seen = observe(self.machine, Question(disks=(self.new,), patience=PATIENCE))
        unlocked(self.host.name, seen)
        known_pools(self.host.name, seen)
        return Standing(seen, tuple(_members(self._members(seen), self.old, self.new)))

    def follow(self) -> Standing:
        """The same without reading the disk again."""
        seen = observe(self.machine, Question(patience=PATIENCE))
        known_pools(self.host.name, seen)
        return Standing(seen, tuple(_members(self._members(seen), self.old, self.new)))

    def check(self, standing: Standing) -> Report:
        """The new disk, where it may be taken; NotTaken and TooFewLeft where it may not."""
        if not standing.members:
            raise NoSuchDisk(
                f"no pool has anything on {self.old}",
                hint=f"list the disks: emily-infra disk list {self.host.name}",
            )
        for member in standing.members:
            self._survives(member, standing.seen)
            if not member.is_begun:
                self._has_its_like(member, standing.seen)
        report = self._report(standing)
        if report.objections:
            first = report.objections[0]
            raise NotTaken(
                "; ".join(each.message for each in report.objections), hint=first.ways_out
            )
        self._large_enough(report, standing)
        return report

    def begin(self) -> Standing:
        """Look again, and tell zpool of every place where the old disk is alone."""
        standing = self.look()
        if standing.is_begun:
            return standing
        report = self.check(standing)
        found = report.found
        details = {"old": self.old, "new": self.new, "serial": found.serial if found else ""}
        record.begin(self.machine, self._creation, {self.new: details["serial"]})
        if report.to_partition:
            partition(self.machine, report, self.tell)
            report = self.check(self.look())
        make_formats(self.machine, report.place, report.to_format)
        for member in standing.members:
            if not member.is_begun:
                self.tell(f"{member.pool.name}: {self.new} takes the place of {self.old}")
                record.note(self.machine, "replacing", pool=member.pool.name, **details)
                self.machine.run(*self.command(member), deadline=120)
        return self.follow()

    def command(self, member: Member) -> Command:
        """What tells zpool."""
        old = member.leaf.guid or member.leaf.path or member.leaf.name
        return ("zpool", "replace", member.pool.name, old, f"{BY_ID}/{self.new}{member.suffix}")

    def end(self) -> None:
        """Record that the new disk is whole."""
        record.note(self.machine, "replaced", old=self.old, new=self.new)
        record.end(self.machine, self._creation)

    @property
    def _creation(self) -> str:
        """The name under which remains on the new disk are known as ours."""
        return record.of_disk(self.new)

    def _members(self, seen: Observation) -> Members:
        return Members(self.host.spec.storage, seen)

    def _place(self) -> Place:
        """What the new disk has to be like."""
        body = self.host.spec.storage.disks.get(self.old)
        if body is None:
            raise NoSuchDisk(
                f"host.yaml does not name {self.old}",
                hint=f"list the disks: emily-infra disk list {self.host.name}",
            )
        if self.new in self.host.spec.storage.disks or self.new == self.old:
            raise NotTaken(
                f"host.yaml names {self.new} already, for another place",
                hint=f"name a disk that it does not name: emily-infra disk list {self.host.name}",
            )
        numbers = [n for n, part in partitions.numbered(body) if part.use == "zfs"]
        return Place(self.new, body, tuple(numbers))

    def _report(self, standing: Standing) -> Report:
        place = self._place()
        found = self._members(standing.seen).by_id(self.new)
        size = Size(max(int(place.body.size), found.size if found else 0))
        body = place.body.model_copy(update={"size": size})  # a larger one is as good
        begun = record.begun(standing.seen, self._creation)
        # Of two places one may be begun: what is held against the disk are the others.
        done = {each.suffix.removeprefix("-part") for each in standing.members if each.is_begun}
        numbers = tuple(number for number in place.numbers if number not in done)
        place = replace(place, body=body, numbers=numbers or place.numbers)
        guard = Guard(standing.seen, self._members(standing.seen), (place,),
                      standing.members[0].pool.name, begun)  # fmt: skip
        (report,) = guard.reports()
        return report

    def _survives(self, member: Member, seen: Observation) -> None:
        members = self._members(seen)
        redundancy = Redundancy(member.pool, members.is_there)
        top = redundancy.top(member.leaf)
        if why := redundancy.why_not_filled(top):
            raise TooFewLeft(why, hint=f"zpool status -v {member.pool.name}")

    def _has_its_like(self, member: Member, seen: Observation) -> None:
        """The new disk gets what host.yaml declares, so a pool may be on nothing else."""
        place = self._place()
        number = _number(self._members(seen), member.leaf, self.old)
        if number in (place.numbers or _WHOLE):
            return
        where = f"{self.old}-part{number}" if number else f"the whole of {self.old}"
        raise NotTaken(
            f"{member.pool.name} is on {where}, where host.yaml has no place for a pool: "
            f"there is none on {self.new} either",
            hint=f"zpool status -P {member.pool.name}; move what is in it, or mend host.yaml",
        )

    def _large_enough(self, report: Report, standing: Standing) -> None:
        """A pool takes no disk that is smaller than the smallest of the vdev."""
        if not report.found or report.place.numbers:
            return
        members = self._members(standing.seen)
        for member in standing.members:
            top = Redundancy(member.pool, members.is_there).top(member.leaf)
            there = [disk.size for leaf in top.leaves if (disk := members.disk(leaf))]
            needed = min(there, default=int(report.place.body.size))
            if report.found.size < needed:
                raise NotTaken(
                    f"{self.new} has {report.found.size} bytes, and the smallest disk of "
                    f"{top.name} in {member.pool.name} {needed}",
                    hint=f"take one of at least {approximately(needed)}",
                )


def _members(members: Members, old: str, new: str) -> Iterator[Member]:
    """Every place that is the old disk's, or was before the new one took it."""
    for pool in members.seen.pools:
        for top in pool.vdevs:
            yield from _in(top, pool, members, (old, new))


def _in(vdev: Vdev, pool: Pool, members: Members, names: tuple[str, str]) -> Iterator[Member]:
    old, new = names
    if vdev.kind == "replacing":
        olds = [leaf for leaf in vdev.leaves if _is(members, leaf, old)]
        news = [leaf for leaf in vdev.leaves if _is(members, leaf, new)]
        if olds:
            suffix = _suffix(members, olds[0], old)
            yield Member(pool, olds[0], suffix, news[0] if news else None)
            return
    if vdev.children:
        for child in vdev.children:
            yield from _in(child, pool, members, names)
    elif _is(members, vdev, old):
        yield Member(pool, vdev, _suffix(members, vdev, old))
    elif _is(members, vdev, new) and _ours(members, pool, old, new):
        yield Member(pool, vdev, _suffix(members, vdev, new), vdev, is_done=True)


def _ours(members: Members, pool: Pool, old: str, new: str) -> bool:
    """Whether it was the old disk that this one has taken the place of."""
    wanted = {"pool": pool.name, "old": old, "new": new}
    return any(
        event.word == "replacing" and wanted.items() <= event.details.items()
        for event in members.seen.disk_events
    )


def _is(members: Members, leaf: Vdev, disk: str) -> bool:
    behind = members.disk(leaf)
    return any(leaf == each for _, each in members.on(disk)) or bool(behind and disk in behind.ids)


def _suffix(members: Members, leaf: Vdev, disk: str) -> str:
    """Where host.yaml has a partition, so has the pool."""
    if disk in members.spec.disks and not members.spec.disks[disk].partitions:
        return ""
    number = _number(members, leaf, disk)
    return f"-part{number}" if number else ""


def _number(members: Members, leaf: Vdev, disk: str) -> str:
    """The partition of a disk that a member is, by whatever name its pool knows it."""
    path = leaf.path.removesuffix("/old").rpartition("/")[2]
    others = members.seen.device_names.get(members.device(leaf), ())
    start = f"{disk}-part"
    names = (members.name(leaf), path, *others)
    return next((name.removeprefix(start) for name in names if name.startswith(start)), "")


def candidates(host: Host, old: str, seen: Observation) -> tuple[Disk, ...]:
    """Disks that nobody names and that are large enough; whether they are blank is not known."""
    spec = host.spec.storage
    members = Members(spec, seen)
    wanted = int(spec.disks[old].size) if old in spec.disks else 0
    return tuple(
        disk
        for disk in seen.disks
        if disk.ids and not spec.disks.keys() & {*disk.ids} and disk.size >= wanted // 512 * 512
        and not disk.content.mounts and not any(True for _ in members.on(disk.ids[0]))
    )  # fmt: skip


def label_size(size: int) -> str:
    """What is printed on a disk of so many bytes."""
    for unit in _UNITS:
        whole = size // unit * unit
        if whole and (size - whole) * 200 < size:  # 0.5 %: printed sizes are round
            return str(Size(whole))
    return str(Size(size))
