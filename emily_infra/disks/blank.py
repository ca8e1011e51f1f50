"""Whether a disk may be written on: it is the one that is meant, nobody uses it, nothing is on it.

What cannot be read counts as not blank. Nothing here empties a disk.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from emily_infra.disks.partitions import SECTOR, numbered, table
from emily_infra.disks.places import Members, Place
from emily_infra.observe import Observation
from emily_infra.observe.disks import Disk, Examined, Partition, Signature, ZfsLabel
from emily_infra.render.storage import BY_ID
from emily_infra.spec.units import approximately

TOLERANCE = 0.01
"""By how much a disk may be larger than its label says: real ones are by up to 0.1 %.

None is smaller than its label. The next larger kind that is sold is 2.4 % larger (250 and 256 GB).
"""
EDGE = "16 MiB"
"""How much of both ends of a disk the probe reads."""
_ALIGNMENT = 1 << 20
_TABLES = frozenset({"gpt", "PMBR"})
_SERIAL_IN_NAME = ("ata-", "nvme-", "usb-")
_NUMBERED_NAME = re.compile(r"nvme-(?:eui|uuid|nvme)\.")


@dataclass(frozen=True)
class Objection:
    """One reason against a disk."""

    code: str
    message: str
    hint: str
    last_resort: str = ""
    """What would empty the device; only where nobody uses it and no pool can be lost."""

    @property
    def ways_out(self) -> str:
        """What shows more, and on lines of its own the last resort."""
        return "\n".join(filter(None, (self.hint, self.last_resort)))


@dataclass(frozen=True)
class Report:
    """A disk as it is, what is on it, and what stands against it."""

    place: Place
    found: Disk | None = None
    carries: tuple[str, ...] = ()
    objections: tuple[Objection, ...] = ()
    to_partition: bool = False
    """It is blank, and lacks the partitions that host.yaml declares."""
    to_format: tuple[str, ...] = ()
    """Numbers of partitions that no pool gets and that are blank."""

    @property
    def table(self) -> str:
        """The partition table that host.yaml declares, in the sectors of this disk."""
        return table(self.place.body, self.found.logical if self.found else SECTOR)

    @property
    def why_not(self) -> str:
        """Why a pool cannot get it as it is, on one line; nothing where it can."""
        lacks = f"{self.place.disk} lacks the partitions that host.yaml declares"
        return "; ".join(
            (*(each.message for each in self.objections), *([lacks] if self.to_partition else ()))
        )


@dataclass(frozen=True)
class Guard:
    """What is asked of a machine's disks for one pool."""

    seen: Observation
    members: Members
    places: tuple[Place, ...]
    pool: str = ""
    begun: Mapping[str, str] = field(default_factory=dict)
    """Disks, with their serials, on which this very pool was being created; see `_marks`."""

    def reports(self) -> tuple[Report, ...]:
        """Every disk, in the order of host.yaml."""
        return tuple(self._report(place) for place in self.places)

    def _report(self, place: Place) -> Report:
        found = self.members.by_id(place.disk)
        if found is None:
            return Report(place, objections=(self._missing(place),))
        examined = next((each for each in self.seen.examined if each.id == place.disk), None)
        report = Report(place, found)
        unread = self._unread(place, found, examined)
        against = [*self._another(place, found), *self._used(place, found), *unread]
        if examined:
            report = replace(report, carries=tuple(_contents(examined)))
        if examined and not unread:
            report = _Content(place, found, examined, self._leftover(place, found)).judged(report)
        found_on_it = report.objections
        if any(each.code == "DSK005" for each in against):
            found_on_it = tuple(replace(each, last_resort="") for each in found_on_it)
        return replace(report, objections=(*against, *found_on_it))

    def _missing(self, place: Place) -> Objection:
        known = self.members.spec.disks.keys()
        others = [disk.ids[0] for disk in self.seen.disks if disk.ids and not known & {*disk.ids}]
        text = f"{place.disk} is not among the {len(self.seen.disks)} disks of the machine"
        also = f"; it has, and host.yaml does not name: {', '.join(others)}" if others else ""
        where = "" if place.body.bay is None else f" in bay {place.body.bay}"
        return Objection("DSK001", text + also, f"look{where}, and at: ls -l {BY_ID}")

    def _another(self, place: Place, found: Disk) -> Iterator[Objection]:
        """Whether it is the disk that the name promises, and only once."""
        look = f"lsblk -d -o NAME,SERIAL,WWN,MODEL,SIZE /dev/{found.name}"
        if message := wrong_size(found.size, int(place.body.size)):
            yield Objection("DSK002", f"{place.disk} {message}", f"{look}; mend size: or the disk")
        if not _is_called(place.disk, found):
            text = f"the disk behind {place.disk} has the serial {found.serial or found.wwn}"
            yield Objection(
                "DSK003", text, f"a link that leads astray? udevadm trigger, then {look}"
            )
        names = sorted({each.disk for each in self.places if each.disk in found.ids})
        if len(names) > 1:
            text = f"{' and '.join(names)} are names of one and the same disk ({found.name})"
            yield Objection("DSK003", text, f"ls -l {BY_ID} | grep -w {found.name}")
        twins = [each.name for each in self.seen.disks if each != found and _same(each, found)]
        if twins:
            text = f"{found.name} and {', '.join(twins)} have the same serial {found.serial}"
            yield Objection("DSK003", text, f"two paths to one disk? {look}")

    def _used(self, place: Place, found: Disk) -> Iterator[Objection]:
        parts = {part.name: part for part in found.parts}
        mine = _devices(place, found) or parts.keys() | {found.name}
        look = f"lsblk /dev/{found.name}"
        for pool, leaf in self.members.on(place.disk):
            if self.members.device(leaf) in mine:
                text = f"{place.disk} is in pool {pool.name} ({leaf.state})"
                yield Objection("DSK005", text, f"zpool status {pool.name}")
        mounts = [found.content.mounts if found.name in mine else ()]
        mounts += [part.content.mounts for name, part in parts.items() if name in mine]
        if places := [place for each in mounts for place in each if place]:
            yield Objection("DSK005", f"{place.disk} is mounted: {', '.join(places)}", look)
        stacked = [each for each in found.parts if each.kind != "part"]
        if stacked and not place.numbers:
            what = ", ".join(f"{each.name} ({each.kind})" for each in stacked)
            yield Objection("DSK005", f"{place.disk} is in use below {what}", look)
        if found.read_only:
            yield Objection("DSK005", f"{place.disk} is read-only", look)

    def _unread(
        self, place: Place, found: Disk, examined: Examined | None
    ) -> tuple[Objection, ...]:
        """What keeps it from being known as blank."""
        gap = next(
            (g for g in self.seen.gaps if g.section == f"disk {place.disk}: signatures"), None
        )
        if gap and gap.hung:
            text = f"{place.disk} does not answer: it was not read through in time"
            return (Objection("DSK006", text, "dmesg -T | tail; smartctl -a; then replace it"),)
        if examined is None or not examined.complete:
            why = f": {gap.why}" if gap else ""
            hint = f"wipefs --no-act {BY_ID}/{place.disk}; dmesg -T | tail"
            return (Objection("DSK006", f"{place.disk} cannot be read{why}", hint),)
        parts = {f"/dev/{part.name}" for part in found.parts if part.kind == "part"}
        if {*examined.devices} != {f"/dev/{found.name}", *parts}:
            text = f"{place.disk} changed while it was read: its partitions came or went"
            return (Objection("DSK006", text, f"lsblk /dev/{found.name}; then the same again"),)
        if not examined.labels_read:
            text = f"the machine lacks a working zdb: {place.disk} may have been in a pool"
            hint = f"zdb -l /dev/{found.name}; if it is not there, apply brings OpenZFS's programs"
            return (Objection("DSK006", text, hint),)
        return ()

    def _leftover(self, place: Place, found: Disk) -> str:
        """The pool that was being created on this disk, which is the one that it was."""
        return self.pool if self.begun.get(place.disk) == found.serial else ""


@dataclass(frozen=True)
class _Content:
    """What is on one disk, held against what it may carry."""

    place: Place
    found: Disk
    examined: Examined
    leftover: str
    """The pool whose creation was cut off here; its remains do not count."""

    def judged(self, report: Report) -> Report:
        if not self.place.numbers:
            return replace(report, objections=tuple(self._not_blank(self.examined.devices)))
        if not self._parts:
            left = tuple(self._not_blank(self.examined.devices))
            return replace(report, objections=left, to_partition=not left)
        wrong = tuple(self._wrong_table())
        devices = tuple(f"/dev/{name}" for name in _devices(self.place, self.found))
        return replace(
            report,
            objections=(*wrong, *self._not_blank(devices)),
            to_format=tuple(self._unformatted()) if self.leftover else (),
        )

    @property
    def _parts(self) -> dict[str, Partition]:
        return {number_of(p.name): p for p in self.found.parts if p.kind == "part"}

    def _wrong_table(self) -> Iterator[Objection]:
        """Only the partitions of this pool are held against host.yaml."""
        look = f"sfdisk --list /dev/{self.found.name}"
        for number in self.place.numbers:
            wanted, part = self.place.body.partitions[number], self._parts.get(number)
            name = f"{self.place.disk}-part{number}"
            if part is None:
                there = ", ".join(sorted(self._parts, key=int))
                text = f"{name} is not there; the disk has the partitions {there}"
                yield Objection("DSK007", text, look)
            elif message := wrong_size(part.size, int(wanted.size) - _ALIGNMENT):
                yield Objection("DSK007", f"{name} {message}", look)

    def _unformatted(self) -> Iterator[str]:
        for number, _ in numbered(self.place.body):
            part = self._parts.get(number)
            if part and not list(_marks(self.examined, f"/dev/{part.name}")):
                yield number

    def _stable(self, device: str) -> str:
        """The name of a device that does not move at a reboot."""
        part = device.removeprefix(f"/dev/{self.found.name}")
        return f"{BY_ID}/{self.place.disk}" + (f"-part{number_of(device)}" if part else "")

    def _not_blank(self, devices: Iterable[str]) -> Iterator[Objection]:
        for device in devices:
            found = [*_marks(self.examined, device, leftover=self.leftover)]
            if found:
                text = f"{self.place.disk} is not blank: {device} holds {'; '.join(found)}"
                stable = self._stable(device)
                last = "" if self._holds_a_pool else _last_resort(stable)
                yield Objection("DSK004", text, _look(stable), last)

    @property
    def _holds_a_pool(self) -> bool:
        """Whether a pool that can be imported has something on the disk, wherever on it."""
        return any(
            each.state in ("active", "exported", "unknown") and each.txg != 0
            for each in self.examined.labels
        )


def _marks(examined: Examined, device: str, leftover: str = "") -> list[str]:
    """What is on a device, in words.

    Of a pool whose creation was cut off its remains do not count: zpool first writes an empty table
    on each disk, then labels without a transaction group, which ZFS itself passes over. Once a
    group is written the pool is there, and can be imported.
    """
    signatures = [each for each in examined.signatures if _path(each.device) == device]
    labels = [each for each in examined.labels if each.device == device]
    own = leftover and all(_is_begun(label, leftover) for label in labels)
    if own:
        known = _TABLES | ({"zfs_member"} if labels else frozenset())
        signatures = [each for each in signatures if each.kind not in known]
        table = any(each.kind == "gpt" and _path(each.device) == device
                    for each in examined.signatures)  # fmt: skip
        if not signatures and (labels or table):
            return []
        labels = []
    found = [*map(_signature, signatures), *map(_label, labels)]
    if not found and device in examined.written:
        return [f"data that nothing here has a name for, within {EDGE} of its ends"]
    return found


def _is_begun(label: ZfsLabel, pool: str) -> bool:
    """A spare's and a cache's name no pool, and hold nothing that could be lost."""
    return label.state in ("spare", "cache") or (label.txg == 0 and label.pool == pool)


def _contents(examined: Examined) -> Iterator[str]:
    for device in examined.devices:
        for mark in _marks(examined, device):
            yield f"{device}: {mark}"


def _signature(each: Signature) -> str:
    label = f' "{each.label}"' if each.label else ""
    return f"{each.kind}{label} at byte {each.offset}"


def _label(each: ZfsLabel) -> str:
    if not each.pool:
        return f"the label of a {each.state} device of some pool"
    host = f", last used by {each.hostname}" if each.hostname else ""
    return f"the label of pool {each.pool} ({each.state}{host})"


def _look(device: str) -> str:
    return f"look: lsblk -f {device}; wipefs --no-act {device}; zdb -l {device}; zpool import"


def _last_resort(device: str) -> str:
    """Without force, so that each of these refuses a device that somebody uses."""
    return (
        f"LAST RESORT, which destroys what is on {device} for good:\n"
        f"wipefs --all {device} && blkdiscard --zeroout --length 16MiB {device} && "
        f"blkdiscard --zeroout --offset $(( $(blockdev --getsize64 {device}) - 16777216 )) {device}"
    )


def _devices(place: Place, found: Disk) -> list[str]:
    """The kernel's names of what the pool gets of a disk; none if it gets the whole of it."""
    parts = (part for part in found.parts if part.kind == "part")
    return [part.name for part in parts if number_of(part.name) in place.numbers]


def number_of(device: str) -> str:
    """The number of a partition, by the kernel's name of it."""
    return device[len(device.rstrip("0123456789")) :]


def _path(device: str) -> str:
    """wipefs names a device without its folder."""
    return device if device.startswith("/") else f"/dev/{device}"


def wrong_size(found: int, wanted: int) -> str:
    """How a size is not the one that was declared, or nothing."""
    if found < wanted // SECTOR * SECTOR:
        return f"is smaller than declared: {found} bytes, not {wanted} ({approximately(wanted)})"
    if found > wanted * (1 + TOLERANCE) + 2 * _ALIGNMENT:
        return f"is larger than declared: {found} bytes, not {wanted} ({approximately(wanted)})"
    return ""


def _is_called(name: str, found: Disk) -> bool:
    """Whether a name that holds a serial or a WWN holds that of the disk behind it.

    The serial of a virtio disk is cut off after 20 characters, and says nothing.
    """
    serial = re.sub(r"[^A-Za-z0-9#+.:=@_-]", "_", found.serial)
    if name.startswith("wwn-") and found.wwn:
        return found.wwn in name
    holds = name.startswith(_SERIAL_IN_NAME) and not _NUMBERED_NAME.match(name)
    return not (holds and serial) or found.transport == "virtio" or serial in name


def _same(one: Disk, other: Disk) -> bool:
    if one.wwn and one.wwn == other.wwn:
        return True
    return bool(one.serial) and (one.serial, one.model) == (other.serial, other.model)
