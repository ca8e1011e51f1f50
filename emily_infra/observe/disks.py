"""Disks by serial, size and model, and what is on them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from emily_infra.observe.answer import Answer
from emily_infra.observe.links import Links, below
from emily_infra.observe.values import Record, json_of, member, number, pairs, records, word

_NAMES = re.compile(r"disk\.([0-9]{1,4})\.name")
_LABEL = re.compile(
    r"^ {4}(name|pool_guid|guid|state|hostid|hostname|txg): '?(.*?)'?$", re.MULTILINE
)
_LABEL_STATES = {"0": "active", "1": "exported", "2": "destroyed", "3": "spare", "4": "cache"}
_PLAIN = ("disk", "loop")


@dataclass(frozen=True)
class Content:
    """What a device carries, as the machine's own index of devices has it."""

    table: str = ""
    """gpt or dos: the partition table that stands on it."""
    filesystem: str = ""
    """ext4, zfs_member, LVM2_member, crypto_LUKS, swap and so on."""
    label: str = ""
    uuid: str = ""
    mounts: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether the index knows of nothing; only Signature proves a disk blank."""
        return not (self.table or self.filesystem or self.mounts)


@dataclass(frozen=True)
class Partition:
    """A part of a disk, or whatever else was built on it."""

    name: str
    kind: str
    size: int
    partuuid: str
    content: Content


@dataclass(frozen=True)
class Disk:
    """A whole disk under its kernel name, with every name under /dev/disk/by-id."""

    name: str
    ids: tuple[str, ...]
    size: int
    serial: str
    model: str
    wwn: str
    transport: str
    rotational: bool
    read_only: bool
    sector: int
    """Bytes of a physical sector."""
    content: Content
    parts: tuple[Partition, ...]
    logical: int = 512
    """Bytes of a logical sector, in which partition tables count."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The kernel's names of it and of its parts."""
        return (self.name, *(part.name for part in self.parts))


@dataclass(frozen=True)
class Signature:
    """A mark that a file system, table or pool has left on a device, read from it just now."""

    device: str
    kind: str
    offset: int
    label: str = ""
    uuid: str = ""


@dataclass(frozen=True)
class ZfsLabel:
    """What a device says of the pool that it is or was in."""

    device: str
    pool: str
    pool_guid: str
    guid: str
    state: str
    """active, exported, destroyed, spare or cache; the last two do not say of which pool."""
    hostname: str
    txg: int | None = None
    """0 until the pool has been written for the first time: ZFS itself ignores such a label."""
    hostid: str = ""
    """Of the system that used it last, as `hostid` prints it."""


@dataclass(frozen=True)
class Examined:
    """A disk of the question, read for signatures."""

    id: str
    signatures: tuple[Signature, ...]
    labels: tuple[ZfsLabel, ...]
    complete: bool
    """Whether it could be read; else it is not known to be blank."""
    devices: tuple[str, ...] = ()
    """What was read: the disk itself, then its partitions."""
    written: tuple[str, ...] = ()
    """Devices of which the first or the last 16 MiB hold anything but zeros."""
    labels_read: bool = False
    """Whether the program that reads the labels of pools is there, and did."""


def disks(answer: Answer, names: Mapping[str, tuple[str, ...]]) -> tuple[Disk, ...]:
    """Every disk that the machine sees, by kernel name."""
    listed = answer.read("block_devices", _block_devices)
    whole = {word(each, "name"): each for each in listed if word(each, "type") in _PLAIN}
    below: dict[str, list[Record]] = {}
    for each in listed:
        below.setdefault(word(each, "pkname"), []).append(each)
    return tuple(
        _disk(record, names.get(name, ()), _all_below(name, below))
        for name, record in sorted(whole.items())
        if name and number(member(record, "size"))
    )


def _block_devices(text: str) -> list[Record]:
    return records(member(json_of(text), "blockdevices"))


def device_names(links: Links) -> dict[str, tuple[str, ...]]:
    """The names under /dev/disk/by-id of every device by its kernel name."""
    found: dict[str, set[str]] = {}
    for link in below(links, "/dev/disk/by-id"):
        found.setdefault(link.target.rpartition("/")[2], set()).add(link.name)
    return {device: tuple(sorted(names)) for device, names in found.items()}


def _all_below(name: str, below: Mapping[str, list[Record]]) -> list[Record]:
    """Partitions and what stands on them, each once."""
    found: dict[str, Record] = {}
    queue = [name]
    while queue:
        for each in below.get(queue.pop(), []):
            child = word(each, "name")
            if child and child not in found:
                found[child] = each
                queue.append(child)
    return [found[child] for child in sorted(found)]


def _disk(record: Record, ids: tuple[str, ...], parts: list[Record]) -> Disk:
    return Disk(
        name=word(record, "name"),
        ids=ids,
        size=number(member(record, "size")) or 0,
        serial=word(record, "serial").strip(),
        model=word(record, "model").strip(),
        wwn=word(record, "wwn"),
        transport=word(record, "tran"),
        rotational=member(record, "rota") in (True, "1"),
        read_only=member(record, "ro") in (True, "1"),
        sector=number(member(record, "phy-sec")) or 0,
        content=_content(record),
        parts=tuple(_partition(each) for each in parts),
        logical=number(member(record, "log-sec")) or 512,
    )


def _partition(record: Record) -> Partition:
    return Partition(
        name=word(record, "name"),
        kind=word(record, "type"),
        size=number(member(record, "size")) or 0,
        partuuid=word(record, "partuuid"),
        content=_content(record),
    )


def _content(record: Record) -> Content:
    mounts = member(record, "mountpoints")
    places = mounts if isinstance(mounts, list) else []
    return Content(
        table=word(record, "pttype") if word(record, "type") in _PLAIN else "",
        filesystem=word(record, "fstype"),
        label=word(record, "label"),
        uuid=word(record, "uuid"),
        mounts=tuple(place for place in places if isinstance(place, str)),
    )


def examined(answer: Answer) -> tuple[Examined, ...]:
    """The disks of the question, by name."""
    found = []
    for section in list(answer.sections):
        if _NAMES.fullmatch(section):
            name = answer.read(section, str.strip)
            read = answer.read(f"{section.removesuffix('name')}signatures", _examined)
            found.append(replace(read, id=name))
    return tuple(sorted(found, key=lambda each: each.id))


def _examined(text: str) -> Examined:
    told = pairs(text)
    by_kind: dict[str, dict[str, str]] = {"exit": {}, "label": {}, "bytes": {}}
    for key, value in told.items():
        kind, _, device = key.partition(" ")
        by_kind.setdefault(kind, {})[device] = value
    codes, counts = by_kind["exit"], by_kind["bytes"]
    return Examined(
        id="",
        signatures=tuple(each for key, body in told.items() for each in _signatures(key, body)),
        labels=tuple(label for key, body in told.items() for label in _labels(key, body)),
        complete=bool(codes) and set(codes.values()) == {"0"} and counts.keys() == codes.keys(),
        devices=tuple(codes),
        written=tuple(device for device, count in counts.items() if number(count) != 0),
        labels_read=bool(codes) and by_kind["label"].keys() == codes.keys(),
    )


def _signatures(key: str, text: str) -> list[Signature]:
    program, _, device = key.partition(" ")
    if program != "wipefs":
        return []
    return [
        Signature(
            device=device,
            kind=word(each, "type"),
            offset=int(word(each, "offset") or "0", 0),
            label=word(each, "label"),
            uuid=word(each, "uuid"),
        )
        for each in records(member(json_of(text), "signatures"))
    ]


def _labels(key: str, text: str) -> list[ZfsLabel]:
    program, _, device = key.partition(" ")
    values = dict(reversed(_LABEL.findall(text)))
    if program != "label" or "state" not in values:
        return []
    state = _LABEL_STATES.get(values["state"], "unknown")
    pool, pool_guid, guid, hostname = (
        values.get(name, "") for name in ("name", "pool_guid", "guid", "hostname")
    )
    txg = number(values.get("txg"))
    owner = number(values.get("hostid"))
    hostid = "" if owner is None else f"{owner:08x}"
    return [ZfsLabel(device, pool, pool_guid, guid, state, hostname, txg, hostid)]
