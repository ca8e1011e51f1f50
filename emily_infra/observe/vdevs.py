"""The text of `zpool status -P -p`: the same lines from OpenZFS 2.1 to 2.4.

Only from 2.3 on there is JSON, which has the same words in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from emily_infra.observe.values import number

DATA = "data"
_POOL = re.compile(r"^ {0,4}pool: ", re.MULTILINE)
_KEY = re.compile(r" {0,8}([a-z_]+): ?(.*)")
_CLASSES = {"special": "special", "dedup": "dedup", "logs": "log", "cache": "cache",
            "spares": "spare"}  # fmt: skip
_ROW = re.compile(
    r"(?P<name>.+?)\s+(?P<state>ONLINE|DEGRADED|FAULTED|OFFLINE|UNAVAIL|REMOVED|SUSPENDED|SPLIT"
    r"|CLOSED|AVAIL|INUSE)\b"
    r"(?:\s+(?P<read>\d+|-)\s+(?P<write>\d+|-)\s+(?P<checksum>\d+|-))?\s*(?P<note>.*)"
)
_GROUP = re.compile(
    r"(mirror|raidz[123]?|draid[123]?|replacing|spare|indirect|hole|root)(?:[:-].*)?"
)
_WAS = re.compile(r"was (/\S+)")
_DATE = r"([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})"
_SINCE = re.compile(rf"(scrub|resilver)\S*(?: \(.*\))? (in progress|paused) since {_DATE}")
_ENDED = re.compile(rf"(scrub|resilver).* with (\d+) errors on {_DATE}")
_CANCELLED = re.compile(rf"(scrub|resilver) canceled on {_DATE}")
_LEAVING = re.compile(r"Evacuation of (\S+) in progress since ")
_DONE = re.compile(r"(\d+(?:\.\d+)?)% done")


@dataclass(frozen=True)
class Vdev:
    """A member of a pool, or a group of members."""

    name: str
    kind: str
    """disk, mirror, raidz2, draid1, replacing, spare and so on."""
    role: str
    """data, special, dedup, log, cache or spare."""
    state: str
    read: int = 0
    write: int = 0
    checksum: int = 0
    path: str = ""
    """Of a disk; where it is gone, the path that it had."""
    note: str = ""
    guid: str = ""
    size: int | None = None
    allocated: int | None = None
    fragmentation: int | None = None
    children: tuple["Vdev", ...] = ()

    @property
    def errors(self) -> int:
        """Reads, writes and checksums that went wrong since they were last cleared."""
        return self.read + self.write + self.checksum

    @property
    def handle(self) -> str:
        """By what zpool is told of it: its number, which no other one ever gets."""
        return self.guid or self.path or self.name

    @property
    def leaves(self) -> tuple["Vdev", ...]:
        """The disks in it, itself where it is one."""
        return tuple(leaf for child in self.children for leaf in child.leaves) or (self,)


@dataclass(frozen=True)
class Scan:
    """A scrub or a resilver: the last one, or the one that runs."""

    kind: str
    state: str
    """running, paused, finished or cancelled."""
    at: int
    """When it began if it runs, else when it ended: seconds since 1970."""
    errors: int = 0
    percent: float | None = None


@dataclass(frozen=True)
class Status:
    """What `zpool status` says of a pool."""

    state: str = ""
    status: str = ""
    """What is wrong, in its own words; empty where nothing is."""
    action: str = ""
    errors: str = ""
    scans: tuple[Scan, ...] = ()
    leaving: str = ""
    """The vdev that is being removed, and whose data moves to the others."""
    vdevs: tuple[Vdev, ...] = ()


def statuses(text: str) -> dict[str, Status]:
    """The status of every pool by its name."""
    found = (status(part) for part in _POOL.split(text)[1:])
    names = (part.partition("\n")[0] for part in _POOL.split(text)[1:])
    return dict(zip(names, found, strict=True))


def status(text: str) -> Status:
    """The status of one pool; no text is an empty status."""
    fields: dict[str, list[str]] = {}
    key = ""
    for line in text.splitlines():
        found = None if line.startswith("\t") else _KEY.fullmatch(line)
        if found and not (key == "config" and found[1] not in ("errors", "dedup", "pool")):
            key = found[1] if found[1] not in fields or found[1] == "scan" else key
            fields.setdefault(key, []).append(found[2])
        elif key:
            fields[key].append(line)
    return Status(
        state=_joined(fields, "state"),
        status=_joined(fields, "status"),
        action=_joined(fields, "action"),
        errors=_joined(fields, "errors"),
        scans=tuple(_scans(fields.get("scan", []))),
        leaving=_leaving(fields.get("remove", [])),
        vdevs=_vdevs(fields.get("config", [])),
    )


def _joined(fields: dict[str, list[str]], key: str) -> str:
    return " ".join(" ".join(fields.get(key, [])).split())


def _scans(lines: list[str]) -> Iterator[Scan]:
    text = "\n".join(lines)
    done = _DONE.search(text)
    for line in lines:
        if found := _SINCE.search(line):
            state = "running" if found[2] == "in progress" else "paused"
            percent = float(done[1]) if done else None
            yield Scan(found[1], state, _moment(found[3]), percent=percent)
        elif found := _ENDED.search(line):
            kind = "resilver" if found[1].startswith("resilver") else "scrub"
            yield Scan(kind, "finished", _moment(found[3]), errors=number(found[2]) or 0)
        elif found := _CANCELLED.search(line):
            yield Scan(found[1], "cancelled", _moment(found[2]))


def _leaving(lines: list[str]) -> str:
    return next((found[1] for line in lines if (found := _LEAVING.match(line))), "")


def _moment(text: str) -> int:
    """ctime(3); the probe asks for it in UTC and in English."""
    try:
        return int(datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0


def _vdevs(lines: list[str]) -> tuple[Vdev, ...]:
    """The top-level vdevs, each with what is in it."""
    role = DATA
    flat: list[tuple[int, Vdev]] = []
    for line in lines:
        body = line.removeprefix("\t").rstrip()
        depth = (len(body) - len(body.lstrip(" "))) // 2
        if body in _CLASSES:
            role = _CLASSES[body]
        elif line.startswith("\t") and (row := _ROW.fullmatch(body.lstrip(" "))):
            flat.append((depth, _vdev(row, role)))
    if flat and flat[0][0] == 0:
        del flat[0]  # the pool itself
    return _tree(flat, 0)


def _tree(flat: list[tuple[int, Vdev]], above: int) -> tuple[Vdev, ...]:
    found = []
    at = 0
    while at < len(flat):
        depth, vdev = flat[at]
        end = at + 1
        while end < len(flat) and flat[end][0] > depth:
            end += 1
        children = _tree(flat[at + 1 : end], above + 1) if above < 8 else ()
        found.append(replace(vdev, children=children))
        at = end
    return tuple(found)


def _vdev(row: re.Match[str], role: str) -> Vdev:
    name, note = row["name"], row["note"].strip()
    group = _GROUP.fullmatch(name)
    was = _WAS.search(note)
    return Vdev(
        name=name,
        kind=group[1] if group else "disk",
        role=role,
        state=row["state"],
        read=number(row["read"]) or 0,
        write=number(row["write"]) or 0,
        checksum=number(row["checksum"]) or 0,
        path="" if group else (was[1] if was else name),
        note=note,
    )


def with_guids(vdevs: tuple[Vdev, ...], guids: tuple[Vdev, ...]) -> tuple[Vdev, ...]:
    """The vdevs with the names that `zpool status -g` gives to the same tree."""
    if len(vdevs) != len(guids):
        return vdevs  # it changed between the two
    return tuple(
        replace(vdev, guid=twin.name, children=with_guids(vdev.children, twin.children))
        for vdev, twin in zip(vdevs, guids, strict=True)
    )
