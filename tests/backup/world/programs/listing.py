"""zfs list and zfs get."""

from collections.abc import Callable, Iterable, Sequence

from . import properties
from .answers import MISSING, SUSPENDED, Options, Refused, Usage, complain, say
from .faults import Faults
from .properties import Asked
from .state import State

KINDS = {
    "filesystem": {"filesystem"}, "fs": {"filesystem"}, "volume": {"volume"}, "vol": {"volume"},
    "snapshot": {"snapshot"}, "snap": {"snapshot"}, "bookmark": {"bookmark"},
    "named": {"named"}, "all": {"filesystem", "volume", "snapshot", "bookmark"},
}  # fmt: skip
COLUMNS = ("name", "property", "value", "received", "source")
SOURCES = {"local", "default", "inherited", "received", "temporary", "none"}


def zfs_list(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """`zfs list`, without the columns' padding: only what -H prints is promised."""
    options = Options(argv, "HpS:d:o:rs:t:")
    kinds = _kinds(options.last("t", "filesystem,volume,named"))
    names = [properties.long_name(each) for each in _fields(options).split(",")]
    walk = _Walk(state, faults, kinds, _depth(options, kinds))
    found, failed = walk.all(options.words)
    for letter, column in reversed([pair for pair in options.values if pair[0] in "sS"]):
        found = _sorted(found, properties.long_name(column), descending=letter == "S")
    if not options.has("H") and found:
        say("  ".join(name.upper() for name in names))
    for each in found:
        say("\t".join(_shown(each, name, options) for name in names))
    return failed


def zfs_get(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """`zfs get`."""
    options = Options(argv, "Hpd:o:rs:t:")
    if not options.words:
        raise Usage("missing property argument")
    columns = _columns(options.last("o", "name,property,value,source"))
    sources = set(options.last("s", ",".join(SOURCES)).split(","))
    if not sources <= SOURCES:
        raise Usage(f"invalid source '{sorted(sources - SOURCES)[0]}'")
    kinds = _kinds(options.last("t", "all"))
    walk = _Walk(state, faults, kinds, _depth(options, kinds))
    found, failed = walk.all(options.words[1:])
    if not options.has("H") and found:
        say("  ".join(column.upper() for column in columns))
    for each in found:
        for name in _asked(options.words[0], each):
            value, source = each.value(name)
            if _source_word(source) in sources:
                received = each.data.received.get(name, "-")
                shown = dict(zip(COLUMNS, (each.name, name, value, received, source), strict=True))
                say("\t".join(shown[column] for column in columns))
    return failed


def exists(state: State, faults: Faults, name: str, deed: str = "cannot open") -> None:
    """Refuse what is not there, or cannot be reached."""
    pool = name.partition("@")[0].partition("#")[0].split("/")[0]
    if faults.health(pool) == "SUSPENDED" and pool in state.pools:
        raise Refused(f"{deed} '{name}': {SUSPENDED}")
    dataset, mark, bookmark = name.partition("#")
    there = state.snapshot(name) if "@" in name else name in state.datasets
    if mark:
        there = dataset in state.datasets and bookmark in state.datasets[dataset].bookmarks
    if not there:
        raise Refused(f"{deed} '{name}': {MISSING}")


class _Walk:
    """What a call is about, in the order in which it is printed."""

    def __init__(self, state: State, faults: Faults, kinds: set[str], depth: int) -> None:
        self.state, self.faults, self.kinds, self.depth = state, faults, kinds, depth

    def all(self, names: Sequence[str]) -> tuple[list[Asked], int]:
        """Each thing once, and 1 when a name was wrong; of all pools, those that answer."""
        found: dict[str, Asked] = {}
        failed = 0
        if not names:
            pools = [pool for pool in self.state.pools if self.faults.health(pool) != "SUSPENDED"]
            self.depth = 1 << 30
            for pool in pools:
                self._into(found, pool, self.depth)
        for name in names:
            try:
                exists(self.state, self.faults, name)
                self._check_kind(name)
                self._into(found, name, self.depth)
            except Refused as refusal:
                complain(str(refusal))
                failed = 1
        return sorted(found.values(), key=_place), failed

    def _check_kind(self, name: str) -> None:
        kind = "snapshot" if "@" in name else "bookmark" if "#" in name else "filesystem"
        if kind == "snapshot" and "named" in self.kinds:
            return
        if kind in self.kinds or (kind == "filesystem" and self.depth > 0):
            return
        why = "operation not applicable to datasets of this type"
        raise Refused(f"cannot open '{name}': {why}")

    def _into(self, found: dict[str, Asked], name: str, depth: int) -> None:
        asked = Asked(self.state, self.faults, name)
        if asked.kind in self.kinds or (asked.snapshot and "named" in self.kinds):
            found[name] = asked
        if depth <= 0 or asked.kind != "filesystem":
            return
        if "snapshot" in self.kinds:
            for short in asked.data.snapshots:
                self._into(found, f"{name}@{short}", 0)
        if "bookmark" in self.kinds:
            for short in asked.data.bookmarks:
                self._into(found, f"{name}#{short}", 0)
        if depth > 1 or "filesystem" in self.kinds:
            for child in self.state.children(name):
                self._into(found, child, depth - 1)


def _place(asked: Asked) -> tuple[str, int, int, str]:
    """By dataset; each before its snapshots, and these as they were made."""
    inner = asked.snapshot or asked.bookmark
    return asked.owner, 1 if inner else 0, inner.createtxg if inner else 0, asked.name


def _sorted(found: list[Asked], column: str, *, descending: bool) -> list[Asked]:
    def key(asked: Asked) -> tuple[bool, float, str]:
        value = asked.value(column)[0]
        missing = (value == "-") != descending
        return missing, float(value) if value.isdigit() else 0, value

    return sorted(found, key=key, reverse=descending)


def _fields(options: Options) -> str:
    return options.last("o", "name,used,available,referenced,mountpoint")


def _kinds(text: str) -> set[str]:
    found: set[str] = set()
    for word in text.split(","):
        if word not in KINDS:
            raise Usage(f"invalid type '{word}'")
        found |= KINDS[word]
    return found


def _depth(options: Options, kinds: set[str]) -> int:
    if options.all("d"):
        return int(options.last("d"))
    if options.has("r"):
        return 1 << 30
    return 1 if kinds in ({"snapshot"}, {"bookmark"}) and options.words else 0


def _columns(text: str) -> Iterable[str]:
    wanted = COLUMNS if text == "all" else text.split(",")
    for column in wanted:
        if column not in COLUMNS:
            raise Usage(f"invalid column name '{column}'")
    return wanted


def _asked(text: str, each: Asked) -> list[str]:
    if text != "all":
        return [properties.long_name(name) for name in text.split(",")]
    native = {*properties.COUNTED, *properties.INHERITED, *properties.OWN, *properties.ONCE} - {
        "name"
    }
    own = {*each.data.props, *each.data.received, *(each.snapshot.props if each.snapshot else ())}
    names = sorted(native) + sorted(name for name in own if ":" in name and name != "world:key")
    return [name for name in names if each.value(name)[0] != "-"]


def _source_word(source: str) -> str:
    return {"-": "none"}.get(source, source.split(" ")[0])


def _shown(each: Asked, name: str, options: Options) -> str:
    value = each.value(name)[0]
    if name == "creation" and not options.has("p") and value.isdigit():
        import time

        return time.strftime("%a %b %e %H:%M %Y", time.localtime(int(value)))
    return value


Verb = Callable[[State, Faults, Sequence[str]], int]
