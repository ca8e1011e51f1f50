"""Datasets that come, and properties that are not what host.yaml says."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from emily_infra.observe.pools import Dataset
from emily_infra.plan.model import Hazard, Step
from emily_infra.plan.storage.renamed import was_it_renamed
from emily_infra.plan.storage.room import Room
from emily_infra.plan.storage.site import Site, impossible
from emily_infra.spec import storage
from emily_infra.spec.units import Size, approximately
from emily_infra.zfs.commands import create_dataset, written
from emily_infra.zfs.properties import INHERITED, different, is_default, wanted

_FOR_NEW_DATA = frozenset({"compression", "recordsize", "special_small_blocks"})
_OWN = ("local", "received")
_SMALL = "special_small_blocks"
_RAISED = 4


@dataclass(frozen=True)
class Tree:
    """The datasets of one pool, on both sides."""

    site: Site
    special: bool
    """Whether the pool has a special vdev by the time that these steps are taken."""
    found: dict[str, Dataset] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "found", {each.name: each for each in self.site.pool.datasets})

    @cached_property
    def declared(self) -> dict[str, storage.Dataset]:
        """Every dataset of host.yaml by its full name, parents before children."""
        pool = self.site.name
        return {f"{pool}/{name}": body for name, body in sorted(self.site.body.datasets.items())}

    @cached_property
    def wished(self) -> dict[str, dict[str, str]]:
        """What each of them is to have."""
        return {path: wanted(body, self.site.body) for path, body in self.declared.items()}

    @cached_property
    def unnamed(self) -> list[Dataset]:
        """File systems that host.yaml names neither themselves nor anything below."""
        ours = named(self.declared)
        return [each for each in self.found.values()
                if each.kind == "filesystem" and each.name not in ours]  # fmt: skip

    @cached_property
    def room(self) -> Room:
        """Who holds and reserves how much, before and afterwards."""
        return Room(self.found, self.wished)

    def steps(self) -> Iterator[Step]:
        """Properties in an order that ZFS takes, then datasets, parents first."""
        if not self.found:
            return  # an empty list is no answer: a pool has at least its root
        there = {path: self.found[path] for path in self.declared if path in self.found}
        settings = [
            setting
            for path, dataset in there.items()
            if dataset.kind == "filesystem"
            for setting in self._settings(path, dataset)
        ]
        yield from (each.step for each in sorted(settings, key=lambda each: each.rank))
        for path in self.declared:
            if path not in there:
                yield from self._missing(path)
            elif there[path].kind != "filesystem":
                yield impossible(
                    f"{path} is a {there[path].kind}",
                    "host.yaml asks for a file system; call one of the two otherwise: "
                    f"zfs rename {path} {path}-old",
                )

    def _settings(self, path: str, found: Dataset) -> Iterator["Setting"]:
        names = found.values.keys() & self.wished[path].keys()
        values = {name: self._afterwards(path, name) or found.values[name] for name in names}
        for name, (value, before) in different(self.wished[path], values).items():
            yield Setting(self, path, name, value, before)

    def inherited(self, path: str, name: str) -> str | None:
        """What a property is without a word of its own, once all steps are taken."""
        parent = path.rpartition("/")[0]
        if name not in INHERITED or not parent:
            return None
        settled = self.wished.get(parent, {}).get(name)
        value = settled or self._afterwards(parent, name)
        return value if name != "mountpoint" or value in ("none", "legacy") else None

    def _afterwards(self, path: str, name: str) -> str | None:
        """What a dataset has, with what is set above it: somebody may rely on what that is now."""
        found, above = self.found.get(path), self.found.get(path.rpartition("/")[0])
        if found and above and name not in found.properties:
            value = self.inherited(path, name)
            if value and value != above.values.get(name):
                return value
        return found.values.get(name) if found else None

    def _missing(self, path: str) -> Iterator[Step]:
        properties = self.wished[path]
        if obstacle := self._obstacle(path):
            yield impossible(f"create dataset {path}", obstacle)
            return
        if not self.special and properties.get(_SMALL, "0") != "0":
            small = properties[_SMALL]
            properties = {name: value for name, value in properties.items() if name != _SMALL}
            yield impossible(f"set {_SMALL} of {path}: {small}", _NO_SPECIAL)
        beside = was_it_renamed(self.site, path, self.unnamed)
        yield Step(
            f"create dataset {path}",
            Hazard.IMPOSSIBLE if beside.is_likely else Hazard.SAFE,
            beside.why or "host.yaml names it, and the pool does not have it",
            (create_dataset(path, properties),),
            f"while it is empty: zfs destroy {path}",
        )

    def _obstacle(self, path: str) -> str:
        """What stands above it that lets nothing be made below."""
        above = path
        while above := above.rpartition("/")[0]:
            parent = self.found.get(above)
            if parent and parent.kind != "filesystem":
                return f"{above} is a {parent.kind}; nothing can be below it"
            if parent and parent.values.get("keystatus") == "unavailable":
                return f"{above} is encrypted, and its key is not loaded: zfs load-key {above}"
        return self.no_room(path) if self.wished[path]["reservation"] != "0" else ""

    def no_room(self, path: str) -> str:
        """Why ZFS would not reserve as much as host.yaml says."""
        lacking = self.room.too_small(path)
        if not lacking:
            return ""
        where, used, limit = lacking
        return (
            f"with all that host.yaml reserves {where} would have to hold {approximately(used)}, "
            f"of {approximately(limit)}, and ZFS refuses that"
        )


_NO_SPECIAL = "ZFS takes it only once the pool has its special vdev"


@dataclass(frozen=True)
class Setting:
    """A property that is not what host.yaml says."""

    tree: Tree
    path: str
    name: str
    value: str
    before: str

    @property
    def _dataset(self) -> Dataset:
        return self.tree.found[self.path]

    @property
    def rank(self) -> int:
        """Its turn: room is given back before a quota shrinks, and taken after one has grown."""
        more = self._amount(self.value) > self._amount(self.before)
        match self.name:
            case "reservation":
                return _RAISED if more else 0
            case "quota":
                return 1 if more else 2
        return 3

    def _amount(self, value: str) -> float:
        """No quota is the largest; no reservation is the smallest."""
        amount = int(value) if value.isdigit() else 0
        return amount or (float("inf") if self.name == "quota" else 0)

    @property
    def _goes_back(self) -> bool:
        """Whether it is enough to take back what somebody has set."""
        source = self._dataset.properties.get(self.name)
        return (
            source is not None
            and source.source == "local"
            and is_default(self.tree.declared[self.path], self.name)
            and self.tree.inherited(self.path, self.name) == self.value
        )

    @property
    def step(self) -> Step:
        """How it is set, and set back."""
        path, name = self.path, self.name
        old, new = (shown(name, value) for value in (self.before, self.value))
        hazard, why = self._weighed()
        source = self._dataset.properties.get(name)
        ours = (source is not None and source.source in _OWN) or name not in INHERITED
        back = f"set {name}={written(name, self.before)}" if ours else f"inherit {name}"
        command = ("zfs", "set", f"{name}={written(name, self.value)}", path)
        verb = "set"
        if self._goes_back:
            command, verb = ("zfs", "inherit", name, path), "take back"
            why = f"somebody has set it, and host.yaml leaves it at its default; {why}"
        title = f"{verb} {name} of {path}: {old} -> {new}"
        return Step(title, hazard, why, (command,), f"zfs {back} {path}")

    def _weighed(self) -> tuple[Hazard, str]:
        if refused := self._refused():
            return Hazard.IMPOSSIBLE, refused
        if self.name == "mountpoint":
            why = "it is unmounted for a moment; programs that use it see that"
            if self.value == "none":
                why = "host.yaml mounts it nowhere; programs that use it lose it"
            return Hazard.DISRUPTIVE, f"{why}{self._followed()}"
        if self.name in _FOR_NEW_DATA:
            why = "counts for what is written from now on; the rest stays as it is"
            return Hazard.SAFE, f"{why}{self._followed()}"
        return Hazard.SAFE, "counts at once"

    def _refused(self) -> str:
        amount = int(self.value) if self.value.isdigit() else 0
        room = self.tree.room
        if self.name == "quota" and 0 < amount < (used := room.used(self.path)):
            return (
                f"it holds {approximately(used)} already, snapshots included, and ZFS refuses a "
                f"quota of {approximately(amount)}"
            )
        if self.name == "reservation" and self.rank == _RAISED:
            return self.tree.no_room(self.path)
        if self.name == _SMALL and self.value != "0" and not self.tree.special:
            return _NO_SPECIAL
        return ""

    def _followed(self) -> str:
        """Datasets that host.yaml does not name and that take over what is set above them."""
        heirs = [
            each.name
            for each in self.tree.found.values()
            if each.name.startswith(f"{self.path}/")
            and each.name not in self.tree.declared
            and self.name not in each.properties
            and each.kind == "filesystem"
        ]
        return f"; {', '.join(heirs)} inherits it" if heirs else ""


def named(declared: Iterable[str]) -> set[str]:
    """Datasets, and all that stands above them."""
    found: set[str] = set()
    for path in declared:
        found |= {path, *(path[:at] for at, letter in enumerate(path) if letter == "/")}
    return found


def shown(name: str, value: str) -> str:
    """A value for reading, with the unit that host.yaml would have."""
    amount = value.isdigit() and int(value) and name != _SMALL
    return str(Size(int(value))) if amount else written(name, value)
