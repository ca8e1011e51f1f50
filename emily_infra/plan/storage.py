"""Pools and datasets against host.yaml: what apply sets, and what only a person may do.

Nothing here destroys: a dataset that is missing is made, a property that differs is set, and all
else is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emily_infra.observe import Observation
from emily_infra.observe.pools import Dataset, Pool
from emily_infra.observe.vdevs import Vdev
from emily_infra.plan.model import Hazard, Step
from emily_infra.render.storage import BY_ID
from emily_infra.spec import storage
from emily_infra.spec.host import HostSpec
from emily_infra.spec.topology import datasets
from emily_infra.spec.units import Size, approximately
from emily_infra.zfs.properties import different, wanted

_FOR_NEW_DATA = frozenset({"compression", "recordsize", "special_small_blocks"})
_OWN = ("local", "received")
_NEW_POOL = ("mountpoint=none", "xattr=sa", "acltype=posixacl")
"""Of a pool's root: nothing is mounted by accident, and Samba's attributes are quick."""
_READABLE = 100_000
_UNITS = ((40, "T"), (30, "G"), (20, "M"), (10, "K"))


def steps(spec: HostSpec, observation: Observation) -> Iterator[Step]:
    """What leads to the pools of host.yaml, in an order that works; then what is only told."""
    yield from sorted(_steps(spec, observation), key=lambda step: not step.hazard.runs)


def _steps(spec: HostSpec, observation: Observation) -> Iterator[Step]:
    for name, body in sorted(spec.storage.pools.items()):
        pool = observation.pool(name)
        if pool is None:
            if observation.knows("pool"):
                yield _missing_pool(name, body)
        elif pool.told:
            yield from _layout(body, pool, observation)
    for path, (name, dataset) in datasets(spec).items():  # parents before children
        pool = observation.pool(name)
        if pool and pool.datasets:  # an empty list is no answer: a pool has at least its root
            properties = wanted(dataset, spec.storage.pools[name])
            found = next((each for each in pool.datasets if each.name == path), None)
            yield from _differing(properties, found) if found else [_create(path, properties)]


def foreign(spec: HostSpec, observation: Observation) -> Iterator[str]:
    """Pools, and datasets on our pools, that host.yaml does not name."""
    ours = datasets(spec).keys()
    above = {path[:at] for path in ours for at, letter in enumerate(path) if letter == "/"}
    for pool in observation.pools:
        if pool.name not in spec.storage.pools:
            yield f"pool {pool.name}"
            continue
        for dataset in pool.datasets:
            if dataset.name not in {*ours, *above, pool.name}:
                yield f"{dataset.kind} {dataset.name}"


def _create(path: str, properties: Mapping[str, str]) -> Step:
    settled = (f"{n}={_written(n, v)}" for n, v in sorted(properties.items()) if v != "0")
    options = [word for each in settled for word in ("-o", each)]
    return Step(
        f"create dataset {path}",
        Hazard.SAFE,
        "host.yaml names it, and the pool does not have it",
        (("zfs", "create", "-p", *options, path),),
        f"while it is empty: zfs destroy {path}",
    )


@dataclass(frozen=True)
class _Setting:
    """A property that is not what host.yaml says."""

    dataset: Dataset
    name: str
    value: str
    before: str

    @property
    def step(self) -> Step:
        """How it is set, and set back."""
        path, name = self.dataset.name, self.name
        old, new = (_shown(name, value) for value in (self.before, self.value))
        hazard, why = self._weighed()
        source = self.dataset.properties.get(name)
        ours = source is not None and source.source in _OWN
        back = f"set {name}={_written(name, self.before)}" if ours else f"inherit {name}"
        commands = (("zfs", "set", f"{name}={_written(name, self.value)}", path),)
        title = f"set {name} of {path}: {old} -> {new}"
        return Step(title, hazard, why, commands, f"zfs {back} {path}")

    def _weighed(self) -> tuple[Hazard, str]:
        used, available = self.dataset.used, self.dataset.available
        if self.name == "quota" and 0 < int(self.value) < used:
            return Hazard.IMPOSSIBLE, (
                f"it holds {approximately(used)} already, snapshots included, and ZFS refuses a "
                f"quota of {approximately(int(self.value))}"
            )
        if self.name == "reservation" and int(self.value) > used + available:
            return Hazard.IMPOSSIBLE, (
                f"the pool has {approximately(used + available)} for it, and ZFS refuses to "
                f"reserve {approximately(int(self.value))}"
            )
        if self.name == "mountpoint":
            return Hazard.DISRUPTIVE, "it is unmounted for a moment; programs that use it see that"
        if self.name in _FOR_NEW_DATA:
            return Hazard.SAFE, "counts for what is written from now on; the rest stays as it is"
        return Hazard.SAFE, "counts at once"


def _differing(properties: Mapping[str, str], found: Dataset) -> Iterator[Step]:
    for name, (value, before) in different(properties, found.values).items():
        yield _Setting(found, name, value, before).step


def _written(name: str, value: str) -> str:
    """A value as a person writes it for `zfs set`: 1M, none."""
    if name in ("quota", "reservation") and value == "0":
        return "none"
    if value.isdigit() and int(value):
        for power, unit in _UNITS:
            if int(value) % (1 << power) == 0 and int(value) >> power < _READABLE:
                return f"{int(value) >> power}{unit}"
    return value


def _shown(name: str, value: str) -> str:
    """A value for reading, with the unit that host.yaml would have."""
    amount = value.isdigit() and int(value) and name != "special_small_blocks"
    return str(Size(int(value))) if amount else _written(name, value)


def _missing_pool(name: str, body: storage.Pool) -> Step:
    command = ("zpool", "create", "-o", f"ashift={body.ashift}")
    options = [word for each in _NEW_POOL for word in ("-O", each)]
    create = (*command, *options, name, *_members(body))
    return Step(
        f"pool {name} is not there",
        Hazard.DESTRUCTIVE,
        "apply never creates a pool: that empties disks. If it exists and was exported, import it: "
        f"zpool import -d {BY_ID} {name}. If it is new, look at every disk first (lsblk -f, wipefs "
        "without options) and create it by hand",
        (create,),
        f"as long as nothing is on it: zpool destroy {name}",
    )


def _members(body: storage.Pool) -> Iterator[str]:
    for role in ("data", "special", "log"):
        vdevs: tuple[storage.Vdev, ...] = getattr(body, role)
        for vdev in vdevs:
            yield from () if role == "data" else (role,)
            yield from () if vdev.kind == "disk" else (vdev.kind,)
            yield from (f"{BY_ID}/{disk}" for disk in vdev.disks)
    for word, disks in (("cache", body.cache), ("spare", body.spares)):
        if disks:
            yield from (word, *(f"{BY_ID}/{disk}" for disk in disks))


def _layout(body: storage.Pool, pool: Pool, observation: Observation) -> Iterator[Step]:
    """Where the pool is not built as host.yaml says; changing that takes a person."""
    ours = set(_declared(body))
    declared = {disk for shape in ours for disk in shape.disks}
    there = set(_found(pool.vdevs, _Names(observation.device_names, declared)))
    for shape in sorted(ours - there):
        yield _by_hand(f"{pool.name} lacks {shape}", "host.yaml says that it is part of the pool")
    for shape in sorted(there - ours):
        yield _by_hand(f"{pool.name} has {shape}", "host.yaml does not know of it")
    ashift = pool.properties.get("ashift")
    if ashift and ashift.value not in ("0", str(body.ashift)):
        title = f"{pool.name} has ashift {ashift.value}, not {body.ashift}"
        yield _by_hand(title, "a pool keeps it for life; write it into host.yaml as it is")


def _by_hand(title: str, why: str) -> Step:
    hint = "apply leaves vdevs alone; compare with: zpool status -P"
    return Step(title, Hazard.IMPOSSIBLE, f"{why}; {hint}")


@dataclass(frozen=True, order=True)
class _Shape:
    """A vdev as both sides can be compared by."""

    role: str
    kind: str
    disks: tuple[str, ...]

    def __str__(self) -> str:
        role = "" if self.role == "data" else f"{self.role} "
        return f"{role}{self.kind} {' '.join(self.disks)}"


def _declared(body: storage.Pool) -> Iterator[_Shape]:
    for role, _, vdev in body.vdevs:
        yield _Shape(role, vdev.kind, tuple(sorted(vdev.disks)))
    yield from (_Shape("cache", "disk", (disk,)) for disk in body.cache)
    yield from (_Shape("spare", "disk", (disk,)) for disk in body.spares)


def _found(vdevs: tuple[Vdev, ...], names: "_Names") -> Iterator[_Shape]:
    for vdev in vdevs:
        if vdev.kind not in ("indirect", "hole"):
            disks = {names.of(leaf) for leaf in _members_of(vdev)}
            yield _Shape(vdev.role, vdev.kind, tuple(sorted(disks)))


def _members_of(vdev: Vdev) -> Iterator[Vdev]:
    """The disks that belong there: of one that is being replaced the first, not its stand-in."""
    if vdev.kind in ("replacing", "spare") and vdev.children:
        yield vdev.leaves[0]
    elif vdev.children:
        for child in vdev.children:
            yield from _members_of(child)
    else:
        yield vdev


@dataclass(frozen=True)
class _Names:
    """By which of its names under /dev/disk/by-id host.yaml calls a disk."""

    known: Mapping[str, tuple[str, ...]]
    declared: set[str]

    def of(self, leaf: Vdev) -> str:
        """The name in host.yaml, or the one that the pool has. ZFS partitions a whole disk."""
        own = leaf.path.rpartition("/")[2] or leaf.name
        others = (names for kernel, names in self.known.items() if own in (kernel, *names))
        for name in (own, *(name for names in others for name in names)):
            for candidate in (name, name.removesuffix("-part1")):
                if candidate in self.declared:
                    return candidate
        return own
