"""Pools and datasets as the machine has them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from emily_infra.observe.answer import Answer
from emily_infra.observe.values import number
from emily_infra.observe.vdevs import Scan, Status, Vdev, statuses, with_guids

HEALTH = ("ONLINE", "DEGRADED", "REMOVED", "OFFLINE", "FAULTED", "UNAVAIL", "SUSPENDED")
"""From good to bad."""
STUCK_AFTER = 60.0
"""Seconds without a transaction group; an idle pool writes one every 5 s (zfs_txg_timeout)."""
_TAKES_WRITES = ("ONLINE", "DEGRADED")
_NAMES = re.compile(r"pool\.([0-9]{1,4})\.name")
_METRIC = re.compile(
    r'^emily_snapshot_newest_timestamp_seconds\{[^}]*dataset="([^"]+)"[^}]*\} ([0-9.e+]+)',
    re.MULTILINE,
)
_SIZES = {1: "size", 2: "allocated", 6: "fragmentation"}
"""The columns of `zpool list -vHp`: name size alloc free ckpoint expandsz frag cap dedup health."""
_SET = ("local", "received")
_VALUES = (
    "canmount", "compression", "keystatus", "mountpoint", "quota", "readonly", "recordsize",
    "refquota", "refreservation", "reservation", "special_small_blocks", "volsize",
)  # fmt: skip


@dataclass(frozen=True)
class Property:
    """A value with where it comes from: local, received, default or inherited from somewhere."""

    value: str
    source: str


@dataclass(frozen=True)
class Dataset:
    """A file system or a volume."""

    name: str
    kind: str
    guid: str
    used: int
    available: int
    referenced: int
    mounted: bool
    created: int
    values: Mapping[str, str]
    """What holds for it, wherever it was set: recordsize, quota and so on, exact to the byte."""
    properties: Mapping[str, Property]
    """Only what a person or a program has set on it."""
    newest_snapshot: int | None
    """When our own snapshots were last taken, as they record it: seconds since 1970."""
    snapshots_changed: int | None
    """When a snapshot was last taken or destroyed; OpenZFS knows since 2.2."""


@dataclass(frozen=True)
class Pool:
    """An imported pool."""

    name: str
    guid: str
    health: str
    """The worst of what the kernel, zpool and the pool's own row say."""
    size: int
    allocated: int
    free: int
    fragmentation: int | None
    properties: Mapping[str, Property] = field(default_factory=dict)
    features: Mapping[str, str] = field(default_factory=dict)
    """disabled, enabled or active."""
    vdevs: tuple[Vdev, ...] = ()
    scans: tuple[Scan, ...] = ()
    leaving: str = ""
    """The vdev that is being removed, and whose data moves to the others."""
    complaint: str = ""
    """What zpool says is wrong; empty where nothing is."""
    errors: str = ""
    """What zpool says of lost data; empty where it knows of none."""
    committed_age: float | None = None
    """Seconds since a transaction group last reached the disks; an idle pool writes every 5 s."""
    datasets: tuple[Dataset, ...] = ()
    told: bool = True
    """Whether zpool said what is in it; else all of the above but name and health is unknown."""

    @property
    def leaves(self) -> tuple[Vdev, ...]:
        """Every disk in it, spares and cache too."""
        return tuple(leaf for vdev in self.vdevs for leaf in vdev.leaves)

    @property
    def is_stuck(self) -> bool:
        """Whether its writes hang, whatever its health is called."""
        return self.committed_age is not None and self.committed_age > STUCK_AFTER

    @property
    def holds(self) -> int:
        """Bytes that datasets may have, as `zfs list` counts; with parity where that is unknown."""
        root = self._root
        return root.used + root.available if root else self.size

    @property
    def used(self) -> float:
        """How full it is, of 1; what datasets have, because a full pool still has reserves."""
        used = self._root.used if self._root else self.allocated
        return used / self.holds if self.holds else 0.0

    @property
    def _root(self) -> Dataset | None:
        root = next((each for each in self.datasets if each.name == self.name), None)
        return root if root and root.used + root.available else None


def standstill(pool: Pool) -> str:
    """Why a pool takes no writes, so that a command about it would hang; nothing where it does.

    The health word alone proves nothing: it says ONLINE for minutes after the disk was pulled.
    """
    if pool.health not in _TAKES_WRITES:
        return f"pool {pool.name} is {pool.health}"
    if pool.is_stuck:
        age = int(pool.committed_age or 0)
        return f"pool {pool.name} has written nothing for {age} s: it is stuck"
    readonly = pool.properties.get("readonly")
    if readonly and readonly.value == "on":
        return f"pool {pool.name} was imported to be read only"
    return ""


@dataclass(frozen=True)
class _Told:
    """What the commands that are about every pool have said."""

    properties: Mapping[str, Mapping[str, Property]]
    trees: Mapping[str, Status]
    guids: Mapping[str, Status]
    sizes: Mapping[str, Mapping[str, Mapping[str, int]]]
    kernel: Mapping[str, str]
    newest: Mapping[str, int]


def pools(answer: Answer) -> tuple[Pool, ...]:
    """Every pool that the kernel or zpool knows, by name."""
    told = _Told(
        properties=answer.read("pools", _properties),
        trees=answer.read("pool_status", statuses),
        guids=answer.read("pool_guids", statuses),
        sizes=answer.read("pool_sizes", _sizes),
        kernel=_by_pool(answer.texts("kernel_on_pools")),
        newest=_newest(answer.texts("state")),
    )
    sections = {
        answer.read(section, str).rstrip("\n"): section.removesuffix("name")
        for section in list(answer.sections)
        if _NAMES.fullmatch(section)
    }
    names = sections.keys() | told.properties.keys() | told.trees.keys()
    return tuple(
        replace(_pool(name, told), datasets=_datasets(answer, sections.get(name), told.newest))
        for name in sorted(names)
    )


def _by_pool(texts: Mapping[str, str]) -> dict[str, str]:
    """The kernel's texts by the last two parts of their paths: `tank/state`."""
    return {"/".join(path.split("/")[-2:]): text for path, text in texts.items()}


def _from_properties(name: str, own: Mapping[str, Property]) -> Pool:
    def value(key: str) -> str:
        return own[key].value if key in own else ""

    return Pool(
        name=name,
        guid=value("guid"),
        health=value("health") or "UNKNOWN",
        size=number(value("size")) or 0,
        allocated=number(value("allocated")) or 0,
        free=number(value("free")) or 0,
        fragmentation=number(value("fragmentation")),
        properties={k: v for k, v in sorted(own.items()) if not k.startswith("feature@")},
        features={
            k.removeprefix("feature@"): v.value
            for k, v in sorted(own.items())
            if k.startswith("feature@")
        },
    )


def _pool(name: str, told: _Told) -> Pool:
    known = _from_properties(name, told.properties.get(name, {}))
    tree = told.trees.get(name, Status())
    words = (told.kernel.get(f"{name}/state", ""), tree.state, known.health)
    vdevs = with_guids(tree.vdevs, told.guids.get(name, Status()).vdevs)
    sizes = told.sizes.get(name, {})
    heads = told.kernel.get("zfs/fm", ""), told.kernel.get(f"{name}/txgs", "")
    return replace(
        known,
        health=max((word for word in words if word in HEALTH), key=HEALTH.index, default="UNKNOWN"),
        vdevs=tuple(_sized(vdev, sizes) for vdev in vdevs),
        scans=tree.scans,
        leaving=tree.leaving,
        complaint=tree.status,
        errors="" if tree.errors in ("", "No known data errors") else tree.errors,
        committed_age=committed_age(*heads),
        told=bool(tree.vdevs),
    )


def _properties(text: str) -> dict[str, dict[str, Property]]:
    """Lines of name, property, source and value; the first one counts.

    A property of a user's own making may hold line breaks, and so pretend to be further lines.
    """
    found: dict[str, dict[str, Property]] = {}
    for line in text.split("\n"):
        parts = line.split("\t", 3)
        if len(parts) == 4:
            name, key, source, value = parts
            found.setdefault(name, {}).setdefault(key, Property(value, source))
    return found


def _sizes(text: str) -> dict[str, dict[str, dict[str, int]]]:
    """The figures of every vdev by its name, which is one of a kind in a pool, by pool."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    own: dict[str, dict[str, int]] = {}
    for line in text.split("\n"):
        words = line.removeprefix("\t").split("\t")
        if len(words) < max(_SIZES):
            continue  # the heading of a class
        if not line.startswith("\t"):
            own = found.setdefault(words[0], {})
        own[words[0]] = {
            key: amount
            for at, key in _SIZES.items()
            if at < len(words) and (amount := number(words[at])) is not None
        }
    return found


def _sized(vdev: Vdev, sizes: Mapping[str, Mapping[str, int]]) -> Vdev:
    own = sizes.get(vdev.name, {})
    return replace(
        vdev,
        size=own.get("size"),
        allocated=own.get("allocated"),
        fragmentation=own.get("fragmentation"),
        children=tuple(_sized(child, sizes) for child in vdev.children),
    )


def committed_age(head: str, txgs: str) -> float | None:
    """Seconds since the newest line of the kernel's list that says C, for committed.

    A line is: txg birth state ndirty nread nwritten reads writes otime qtime wtime stime, with
    times in nanoseconds (module/zfs/spa_stats.c). The head of any list ends in the present time of
    the same clock; that of uptime runs apart from it by minutes in a year.
    """
    now = number((head.partition("\n")[0].split() or [""])[-1])
    ended = [
        sum(number(word) or 0 for word in (words[1], *words[8:12]))
        for words in map(str.split, txgs.splitlines())
        if len(words) >= 12 and words[2] == "C"
    ]
    return max(0.0, (now - max(ended)) / 10**9) if now is not None and ended else None


def _newest(files: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in files.values():
        for name, when in _METRIC.findall(text):
            try:
                found[name] = max(found.get(name, 0), int(float(when)))
            except (ValueError, OverflowError):
                continue
    return found


def _datasets(
    answer: Answer, section: str | None, newest: Mapping[str, int]
) -> tuple[Dataset, ...]:
    if section is None:
        return ()
    told = answer.read(f"{section}datasets", _properties)
    return tuple(_dataset(name, own, newest) for name, own in told.items() if "guid" in own)


def _dataset(name: str, told: Mapping[str, Property], newest: Mapping[str, int]) -> Dataset:
    def value(key: str) -> str:
        return told[key].value if key in told else "-"

    return Dataset(
        name=name,
        kind=value("type"),
        guid=value("guid"),
        used=number(value("used")) or 0,
        available=number(value("available")) or 0,
        referenced=number(value("referenced")) or 0,
        mounted=value("mounted") == "yes",
        created=number(value("creation")) or 0,
        values={key: value(key) for key in _VALUES if value(key) != "-"},
        properties={key: each for key, each in sorted(told.items()) if each.source in _SET},
        newest_snapshot=newest.get(name),
        snapshots_changed=number(value("snapshots_changed")),
    )
