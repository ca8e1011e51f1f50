"""`emily-infra disk replace`, step by step; each begins with a look at how far it has come."""

import json
import os
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emily_infra.cli.hands import approve_by_name, span
from emily_infra.cli.output import mention, printable, report, report_json, say, tell, tell_json
from emily_infra.cli.reach import Where, pasteable
from emily_infra.cli.stopping import Stopped, before_any_change, if_stopped
from emily_infra.disks.blank import wrong_size
from emily_infra.disks.edit import Renaming, edited
from emily_infra.disks.faults import NoSuchDisk, OtherwiseMeant
from emily_infra.disks.places import Members
from emily_infra.disks.progress import Sample, estimate, resilver
from emily_infra.disks.pulling import unclear, uses
from emily_infra.disks.redundancy import Redundancy
from emily_infra.machine import CommandFailed, Machine
from emily_infra.observe import Observation
from emily_infra.observe.pools import Pool
from emily_infra.observe.vdevs import Vdev
from emily_infra.spec.host import Host
from emily_infra.spec.units import approximately
from emily_infra.storage.offline import look
from emily_infra.storage.replace import Replacement, Standing, candidates, label_size

_FIRST_WAIT, _LONGEST_WAIT = 2.0, 30.0
_KEPT = 1_000


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    root: Path
    host: Host
    old: str
    confirm: str
    where: Where
    wait: bool
    json: bool


def advise(machine: Machine, asked: Asked) -> None:
    """Which disk to pull from where, what is left meanwhile, and which disks could come in."""
    host, old = asked.host, asked.old
    seen = look(machine, host)
    members = Members(host.spec.storage, seen)
    parts = list(members.on(old))
    if not parts:
        raise NoSuchDisk(
            f"no pool has anything on {old}",
            hint=f"list the disks: emily-infra disk list {host.name}",
        )
    new = candidates(host, old, seen)
    if asked.json:
        tell_json({"disk": old, "candidates": [disk.ids[0] for disk in new]})
        return
    for line in _which(asked, seen):
        tell(asked.where.said(line))
    for pool, leaf in parts:
        tell(_left(Redundancy(pool, members.is_there), leaf))
    for line in _ways(asked, parts[0][1].state, [(disk.ids[0], disk.size) for disk in new]):
        tell(asked.where.said(line))


def _which(asked: Asked, seen: Observation) -> Iterator[str]:
    host, old = asked.host, asked.old
    body, disk = host.spec.storage.disks.get(old), Members(host.spec.storage, seen).by_id(old)
    bay = "unknown" if body is None or body.bay is None else str(body.bay)
    yield f"disk    {old}"
    yield f"bay     {bay}"
    if disk:
        yield printable(f"serial  {disk.serial} ({disk.model}, {approximately(disk.size)})")
        yield f"light   emily-infra disk locate {host.name} {old}"
    else:
        yield "serial  not seen by the machine; the label has what stands in its name"


def _left(redundancy: Redundancy, leaf: Vdev) -> str:
    top = redundancy.top(leaf)
    now, without = redundancy.left(top), redundancy.left(top, without=leaf)
    after = "its data is out of reach" if without < 0 else f"{without} more may fail"
    place = f"pool    {redundancy.pool.name} {top.name}"
    if not redundancy.is_there(leaf):
        return f"{place}: it is gone ({leaf.state} for ZFS); {after} until the new disk is full"
    return (
        f"{place}: {leaf.state}; {max(now, 0)} may fail now; once it is pulled, {after} until the "
        "new disk is full"
    )


def _ways(asked: Asked, state: str, new: list[tuple[str, int]]) -> Iterator[str]:
    name, old = asked.host.name, asked.old
    if new:
        yield "new disks, which host.yaml does not name:"
        for disk, size in new:
            yield f"  {approximately(size):>9}  emily-infra disk replace {name} {old} {disk}"
        return
    yield "no new disk that is large enough is there. Either:"
    yield "  put one into a free bay: the old disk then stays readable until the new one is full"
    if state == "ONLINE":
        yield f"  or free its bay first: emily-infra disk offline {name} {old}"
    else:
        yield "  or pull it and put the new one into its bay"
    yield f"then: emily-infra disk replace {name} {old}"


def walk(machine: Machine, asked: Asked, new: str) -> None:
    """From wherever it stands to the end, or to where it may be left."""
    replacement = Replacement(machine, asked.host, asked.old, new, mention)
    with before_any_change():
        standing = replacement.look()
        begun = standing.is_done or standing.is_begun
        if not begun:
            _agree(replacement, standing, asked)
    if not begun:
        with if_stopped(f"{new} may be written on already, and what zpool was told goes on"):
            standing = replacement.begin()
    if not standing.is_done:
        if not asked.wait:
            _say_left(asked, new)
            return
        try:
            standing = _followed(replacement, asked)
        except KeyboardInterrupt:
            _say_left(asked, new)
            raise Stopped(f"{new} goes on being filled") from None
    with if_stopped(f"{new} is full, and host.yaml may not name it yet"):
        _healthy(standing)
        with suppress(CommandFailed):  # its place in the record is no reason to call it undone
            replacement.end()
        _write(asked, new, standing)


def _agree(replacement: Replacement, standing: Standing, asked: Asked) -> None:
    """Show what is written on and what is left meanwhile to whoever types its name."""
    if found := replacement.check(standing).found:
        which = " ".join(filter(None, (found.model, found.serial)))
        say(printable(f"{replacement.new}: {which}, {approximately(found.size)}, blank"))
    members = Members(asked.host.spec.storage, standing.seen)
    for each in standing.members:
        say(_left(Redundancy(each.pool, members.is_there), each.leaf))
        if not each.is_begun:
            say(f"  {pasteable(asked.host, replacement.command(each), asked.where)}")
    approve_by_name(f"write on {replacement.new}?", replacement.new, asked.confirm)


def _say_left(asked: Asked, new: str) -> None:
    again = asked.where.said(f"emily-infra disk replace {asked.host.name} {asked.old} {new}")
    if asked.json:
        report_json({"disk": asked.old, "new": new, "done": False})
    else:
        report("it is being filled, and goes on by itself")
        report(f"how far it is, and the end of it: {again}")


def _followed(replacement: Replacement, asked: Asked) -> Standing:
    """Until the new disk is full; says how far it is whenever that has changed."""
    samples: dict[str, deque[Sample]] = {}
    wait, last = _FIRST_WAIT, ""
    while True:
        standing = replacement.follow()
        if standing.is_done:
            return standing
        if not standing.is_begun:
            raise OtherwiseMeant(
                f"{replacement.new} is not in the pool any more, and {replacement.old} still is",
                hint="somebody else has detached it, or it failed: zpool status -v",
            )
        for member in standing.members:
            known = samples.setdefault(member.pool.name, deque(maxlen=_KEPT))
            line = progress(member.pool, known, standing.seen.identity.now)
            if not member.is_done and line != last:
                last = line
                _tell_progress(member.pool, line, asked)
        time.sleep(wait)
        wait = min(wait * 1.3, _LONGEST_WAIT)


def _tell_progress(pool: Pool, line: str, asked: Asked) -> None:
    if not asked.json:
        mention(line)
        return
    scan = resilver(pool)
    percent = scan.percent if scan else None
    report(json.dumps({"type": "progress", "pool": pool.name, "percent": percent}))


def progress(pool: Pool, samples: "deque[Sample]", now: int) -> str:
    """How far a resilver is and how long it takes yet."""
    scan = resilver(pool)
    if scan is None:
        return f"{pool.name}: ZFS is about to begin or to end"
    if scan.state == "paused":
        return f"{pool.name}: the resilver waits"
    samples.append(Sample(now, scan.percent or 0.0))
    left = estimate(scan, samples)
    rest = f"{span(left.least, left.most)} left" if left else "too early to say how long"
    return f"{pool.name}: {samples[-1].percent:.1f} % filled, {rest}"


def _healthy(standing: Standing) -> None:
    for member in standing.members:
        leaf = member.new or member.leaf
        if leaf.state != "ONLINE" or leaf.errors:
            raise OtherwiseMeant(
                f"{leaf.path} has taken its place in {member.pool.name}, and is {leaf.state} with "
                f"{leaf.errors} errors",
                hint=f"is the new disk ill, or its cable? zpool status -v {member.pool.name}",
            )


def _write(asked: Asked, new: str, standing: Standing) -> None:
    """The new disk's name into host.yaml, as that stands now."""
    host, old = asked.host, asked.old
    path = asked.root / host.source.file
    lines: tuple[int, ...] = ()
    if old in host.spec.storage.disks:
        done = edited(host.source.file, path.read_bytes(), _renaming(host, old, new, standing))
        put(path, done.text)
        lines = done.mentions
        mention(f"{host.source.file}: {old} -> {new} in {', '.join(done.places)}")
    if asked.json:
        report_json({"disk": old, "new": new, "done": True, "file": host.source.file})
        return
    if lines:
        where = ", ".join(map(str, lines))
        mention(f"{old} is still mentioned in line {where}; look at it yourself")
    after = _after(old, Members(host.spec.storage, standing.seen))
    report(printable(f"{new} has taken the place of {old}{after}"))
    if any(body.partitions for name, body in host.spec.storage.disks.items() if name == old):
        report("its boot partition, if it has one, is empty: the boot loader has to get there yet")
    report("is its bay another one now? then mend `bay:` as well")
    report(f"review: git diff {host.source.file}")
    following = f"emily-infra render {host.name} && emily-infra plan {host.name}"
    report(f"next: {asked.where.said(following)}")


def _after(old: str, members: Members) -> str:
    """What is to be done with the old disk."""
    found = members.by_id(old)
    if found is None:
        return ""
    if why := unclear(members) or "; ".join(uses(found)):
        return f"; do not pull {old} yet: {why}"
    return f"; {old} may be pulled"


def _renaming(host: Host, old: str, new: str, standing: Standing) -> Renaming:
    """With another size, where the new disk is of another kind."""
    found = Members(host.spec.storage, standing.seen).by_id(new)
    size = host.spec.storage.disks[old].size
    other = found is not None and wrong_size(found.size, int(size))
    return Renaming(old, new, label_size(found.size) if found and other else None)


def put(path: Path, text: bytes) -> None:
    """The file as a whole or not at all, with the rights that it has."""
    real = path.resolve()
    handle, fresh = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), real.stat().st_mode & 0o7777)
            os.fsync(stream.fileno())
        Path(fresh).replace(real)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
