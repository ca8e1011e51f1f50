"""A machine with a small ZFS of its own: it takes the commands, and refuses what ZFS refuses."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from emily_infra.machine import CommandFailed, Ending
from emily_infra.observe import Observation
from emily_infra.observe import disks as on_disks
from emily_infra.observe.deploys import Event
from emily_infra.observe.pools import Dataset, Pool, Property
from emily_infra.spec.storage import Storage
from emily_infra.zfs.properties import wanted
from tests.plan.tops import BY_ID, Top, guid, guid_of, named, observed, plain, shown

GB = 10**9
TOTAL = 100 * GB
DEFAULTS = {"compression": "on", "recordsize": "131072", "special_small_blocks": "0"}
TABLE = "gpt"
UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}


class Refused(Exception):
    """What ZFS says."""


@dataclass
class Fs:
    """A dataset: what it holds itself, and what was set on it."""

    own: int = 0
    local: dict[str, str] = field(default_factory=dict)


@dataclass
class ZPool:
    """A pool."""

    tops: list[Top]
    datasets: dict[str, Fs]
    disabled: set[str] = field(default_factory=set)

    def of(self, role: str) -> list[Top]:
        return [top for top in self.tops if top.role == role]

    @property
    def has_parity(self) -> bool:
        return any(top.kind.startswith("raidz") for top in self.tops if top.role != "log")


@dataclass
class World:
    """Disks, each with what is on it, and pools; a machine that runs zpool and zfs."""

    disks: dict[str, str]
    """Blank where nothing is said."""
    pools: dict[str, ZPool] = field(default_factory=dict)
    said: list[tuple[str, ...]] = field(default_factory=list)
    refuses: str = ""
    """What the kernel says to every new disk: zpool has written a table on it by then."""
    events: list[Event] = field(default_factory=list)
    """What was recorded of its disks."""
    name: str = "simulated"

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """A command, or CommandFailed with ZFS's own words."""
        if argv == ("sh",):
            self.events.append(noted(stdin))
            return ""
        assert not stdin
        assert deadline < 1000, "every command has a deadline"
        verb = getattr(self, f"_{argv[0]}_{argv[1]}")
        flags, rest = _split(argv[2:])
        self.said.append(argv)
        try:
            return str(verb(flags, *rest) or "")
        except Refused as error:
            raise CommandFailed(self.name, argv, Ending(1, "", str(error))) from error

    def close(self) -> None:
        pass

    # --- zpool

    def _zpool_add(self, flags: Mapping[str, str], name: str, *words: str) -> str:
        pool = self.pools[name]
        new = list(named(words))
        for top in new:
            for disk in top.disks:
                self._must_be_blank(disk)
            minded = self._minds(pool, top) and top.role in ("data", "special")
            if minded and not {"-f", "--allow-replication-mismatch"} & flags.keys():
                raise Refused(
                    "invalid vdev specification\nuse '-f' to override the following errors:\n"
                    f"mismatched replication level: new vdev is {len(top.disks)}-way {top.kind}"
                )
        if "-n" not in flags:
            self._labelled([disk for top in new for disk in top.disks])
            pool.tops += new
            self._taken(disk for top in new for disk in top.disks)
        return shown(name, [*pool.tops, *(new if "-n" in flags else [])])

    def _minds(self, pool: ZPool, new: Top) -> bool:
        """As check_replication() has it: all alike, unless they are not so already."""
        held = [top for top in pool.tops if top.role in ("data", "special")]
        even = not any(one.differs(other) for one in held for other in held)
        return even and any(new.differs(top) for top in held)

    def _zpool_attach(self, _: Mapping[str, str], name: str, there: str, new: str) -> None:
        self._labelled([plain(new)])
        top = self._found(name, there)[0]
        if top.kind not in ("disk", "mirror") or top.role in ("cache", "spare"):
            raise Refused("can only attach to mirrors and top-level disks")
        top.disks.append(plain(new))
        top.kind = "mirror"
        self._taken([plain(new)])

    def _zpool_detach(self, _: Mapping[str, str], name: str, disk: str) -> None:
        top, member = self._found(name, disk)
        if top.kind != "mirror":
            raise Refused("only applicable to mirror and replacing vdevs")
        top.disks.remove(member)
        if len(top.disks) == 1:
            top.kind = "disk"
        self.disks[member] = "zfs_member"

    def _zpool_replace(self, _: Mapping[str, str], name: str, old: str, new: str) -> None:
        self._labelled([plain(new)])
        top, member = self._found(name, old)
        if top.role in ("cache", "spare"):
            raise Refused("device cannot be replaced")
        top.disks[top.disks.index(member)] = plain(new)
        self.disks[member] = "zfs_member"
        self._taken([plain(new)])

    def _zpool_remove(self, _: Mapping[str, str], name: str, which: str) -> None:
        pool = self.pools[name]
        top = self._found(name, which)[0]
        if top.role in ("data", "special"):
            if pool.has_parity:
                raise Refused("operation not supported on this type of pool")
            if top.role == "data" and len(pool.of("data")) == 1:
                raise Refused("out of space")
        pool.tops.remove(top)
        self.disks.update(dict.fromkeys(top.disks, "zfs_member"))

    def _zpool_sync(self, _: Mapping[str, str], name: str) -> None:
        assert name in self.pools

    def _zpool_upgrade(self, _: Mapping[str, str], name: str) -> None:
        self.pools[name].disabled.clear()

    def _found(self, name: str, which: str) -> tuple[Top, str]:
        """As zpool_find_vdev() has it: a number, a group, or a path with or without -part1."""
        for index, top in enumerate(self.pools[name].tops):
            if which in (f"{top.kind}-{index}", guid_of(top)):
                return top, top.disks[0]
            for disk in top.disks:
                if which in (f"{BY_ID}{disk}", f"{BY_ID}{disk}-part1", guid(disk)):
                    return top, disk
        raise Refused(f"no such device in pool: {which}")

    def _must_be_blank(self, disk: str) -> None:
        if disk not in self.disks:
            raise Refused(f"cannot resolve path {disk}")
        if self.disks[disk] not in ("", TABLE):
            raise Refused(f"use '-f' to override: {disk} contains {self.disks[disk]}")

    def _labelled(self, disks: Sequence[str]) -> None:
        """As make_root_vdev() has it: before anything else is asked."""
        for disk in disks:
            self._must_be_blank(disk)
        self.disks.update(dict.fromkeys(disks, TABLE))
        if self.refuses:
            raise Refused(self.refuses)

    def _taken(self, disks: "Sequence[str] | Iterator[str]") -> None:
        self.disks.update(dict.fromkeys(disks, "in a pool"))

    # --- zfs

    def _zfs_create(self, flags: Mapping[str, str], path: str) -> None:
        assert "-p" in flags
        sets = self._sets(path)
        parts = path.split("/")
        for depth in range(2, len(parts)):
            sets.setdefault("/".join(parts[:depth]), Fs())
        if path in sets:
            return
        sets[path] = Fs()
        try:
            for setting in sorted(flags["-o"].split("\n") if flags.get("-o") else []):
                self._zfs_set({}, setting, path)
        except Refused:
            del sets[path]
            raise

    def _zfs_set(self, _: Mapping[str, str], setting: str, path: str) -> None:
        name, text = setting.split("=")
        fs, value = self._sets(path)[path], _exact(name, text)
        if name == "special_small_blocks" and value != "0" and not self._pool(path).of("special"):
            raise Refused("special vdev is needed")
        held = max(self.used(path), self._reserved(path))
        if name == "quota" and 0 < int(value) < held:
            raise Refused("size is less than current used or reserved space")
        before = dict(fs.local)
        fs.local[name] = value
        if name == "reservation" and int(value) > int(before.get(name, "0")):
            above = path
            while above := above.rpartition("/")[0]:
                limit = TOTAL if "/" not in above else self._quota(above)
                if limit and self.used(above) > limit:
                    fs.local = before
                    raise Refused("size is greater than available space")
            if self._quota(path) and int(value) > self._quota(path):
                fs.local = before
                raise Refused("size is greater than the quota")

    def _zfs_inherit(self, _: Mapping[str, str], name: str, path: str) -> None:
        if name in ("quota", "reservation"):
            raise Refused("property cannot be inherited")
        self._sets(path)[path].local.pop(name, None)

    def _pool(self, path: str) -> ZPool:
        return self.pools[path.partition("/")[0]]

    def _sets(self, path: str) -> dict[str, Fs]:
        return self._pool(path).datasets

    def _quota(self, path: str) -> int:
        return int(self._sets(path)[path].local.get("quota", "0"))

    def _reserved(self, path: str) -> int:
        return int(self._sets(path)[path].local.get("reservation", "0"))

    def used(self, path: str) -> int:
        """With everything below, and what is reserved there."""
        sets = self._sets(path)
        below = [each for each in sets if each.rpartition("/")[0] == path]
        return sets[path].own + sum(max(self.used(b), self._reserved(b)) for b in below)

    def value(self, path: str, name: str) -> str:
        """What holds for a dataset, wherever it was set."""
        own = self._sets(path)[path].local
        if name in own or name in ("quota", "reservation"):
            return own.get(name, "0")
        parent, _, last = path.rpartition("/")
        if not parent:
            return DEFAULTS.get(name, "none")
        above = self.value(parent, name)
        return f"{above}/{last}" if name == "mountpoint" and above.startswith("/") else above

    # --- what a look at it shows

    def seen(self) -> Observation:
        """The machine as the probe tells of it."""
        kernel = {disk: f"sd{chr(97 + at)}" for at, disk in enumerate(sorted(self.disks))}
        names = {kernel[disk]: (disk,) for disk in self.disks}
        names |= {f"{kernel[disk]}1": (f"{disk}-part1",) for disk, on in self.disks.items()
                  if on == "in a pool"}  # fmt: skip
        return Observation(
            self.name,
            pools=tuple(self._observed(name) for name in sorted(self.pools)),
            disks=tuple(_disk(kernel[disk], disk, self.disks[disk]) for disk in sorted(self.disks)),
            device_names=names,
            disk_events=tuple(self.events),
            examined=tuple(
                _examined(kernel[disk], disk, self.disks[disk]) for disk in sorted(self.disks)
            ),
        )

    def _observed(self, name: str) -> Pool:
        pool = self.pools[name]
        return Pool(
            name, "1", "ONLINE", TOTAL, 0, 0, None,
            properties={"ashift": Property("12", "local")},
            features=dict.fromkeys(sorted(pool.disabled), "disabled"),
            vdevs=tuple(observed(top, index) for index, top in enumerate(pool.tops)),
            committed_age=1.0,
            datasets=tuple(self._dataset(path) for path in sorted(pool.datasets)),
        )  # fmt: skip

    def _dataset(self, path: str) -> Dataset:
        names = (*DEFAULTS, "mountpoint", "quota", "reservation")
        local = self._sets(path)[path].local
        return Dataset(
            path, "filesystem", "1", self.used(path), TOTAL - self.used(path.partition("/")[0]), 0,
            False, 0, {name: self.value(path, name) for name in names},  # noqa: FBT003
            {name: Property(value, "local") for name, value in local.items()}, None, None,
        )  # fmt: skip

    def state(self) -> object:
        """Everything that a command can change, to compare."""
        return (
            {n: [(t.role, t.kind, sorted(t.disks)) for t in p.tops] for n, p in self.pools.items()},
            {n: {d: (f.own, f.local) for d, f in p.datasets.items()}
             for n, p in self.pools.items()},
            dict(self.disks),
        )  # fmt: skip


def world(body: Storage, spare_disks: Sequence[str] = ()) -> World:
    """A machine that is as a host.yaml says."""
    made = World(dict.fromkeys([*body.disks, *spare_disks], ""))
    for name, pool in body.pools.items():
        tops = [Top(role, vdev.kind, list(vdev.disks)) for role, _, vdev in pool.vdevs]
        tops += [Top("cache", "disk", [disk]) for disk in pool.cache]
        tops += [Top("spare", "disk", [disk]) for disk in pool.spares]
        root = {name: Fs(local={"mountpoint": "none"})}
        sets = {f"{name}/{path}": Fs(local=dict(wanted(each, pool)))
                for path, each in sorted(pool.datasets.items())}  # fmt: skip
        made.pools[name] = ZPool(tops, root | sets)
        made.disks.update(dict.fromkeys((d for top in tops for d in top.disks), "in a pool"))
    return made


def noted(script: str) -> Event:
    """The line that a script adds to the record of disks."""
    word, *rest = shlex.split(script.rstrip().rpartition("&& event ")[2])
    return Event(0, word, dict(zip(rest[::2], rest[1::2], strict=True)))


def _split(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Options and the rest; those of -o one to a line."""
    flags: dict[str, str] = {}
    rest: list[str] = []
    left = iter(words)
    for word in left:
        if word == "-o":
            flags["-o"] = f"{flags['-o']}\n{next(left)}" if "-o" in flags else next(left)
        elif word.startswith("-"):
            flags[word] = ""
        else:
            rest.append(word)
    return flags, rest


def _exact(name: str, text: str) -> str:
    if text == "none" and name in ("quota", "reservation"):
        return "0"
    if text[-1] in UNITS and text[:-1].isdigit():
        return str(int(text[:-1]) << UNITS[text[-1]])
    return text


def _disk(kernel: str, name: str, holds: str) -> on_disks.Disk:
    content = on_disks.Content(filesystem=holds if holds != "in a pool" else "")
    return on_disks.Disk(
        kernel, (name,), TOTAL, name, "", "", "", rotational=True, read_only=False, sector=4096,
        content=content, parts=(),
    )  # fmt: skip


def _examined(kernel: str, name: str, holds: str) -> on_disks.Examined:
    device = f"/dev/{kernel}"
    blank = on_disks.Examined(name, (), (), complete=True, devices=(device,), labels_read=True)
    mark = on_disks.Signature(device, "zfs_member" if "pool" in holds else holds, 0)
    return replace(blank, signatures=(mark,)) if holds else blank
