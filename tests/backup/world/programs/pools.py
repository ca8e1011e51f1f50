"""zpool list, status, get and sync."""

import json
from collections.abc import Sequence

from . import properties
from .answers import Options, Refused, Usage, say
from .faults import Faults
from .state import State

COLUMNS = (
    "name", "size", "allocated", "free", "checkpoint", "expandsize", "fragmentation", "capacity",
    "dedupratio", "health", "altroot", "guid", "freeing", "readonly", "load_guid", "alloc", "frag",
    "cap", "dedup", "autotrim", "ashift", "comment", "listsnapshots", "failmode", "multihost",
)  # fmt: skip
_DEFAULT = "name,size,allocated,free,checkpoint,expandsize,fragmentation,capacity,dedupratio,health"
_ALIKE = {"alloc": "allocated", "cap": "capacity", "frag": "fragmentation", "dedup": "dedupratio"}
_FIXED = {
    "checkpoint": "-", "expandsize": "-", "fragmentation": "3", "dedupratio": "1.00",
    "altroot": "-", "freeing": "0", "readonly": "off", "autotrim": "off", "ashift": "12",
    "comment": "-", "listsnapshots": "off", "failmode": "wait", "multihost": "off",
}  # fmt: skip


def zpool_list(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """The pools, in one line each."""
    options = Options(argv, "Hpo:T:P", "zpool")
    columns = [_known(column) for column in options.last("o", _DEFAULT).split(",")]
    if not options.has("H"):
        say("  ".join(column.upper() for column in columns))
    for pool in _named(state, options.words):
        say("\t".join(value(state, faults, pool, column) for column in columns))
    return 0


def zpool_get(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """Properties of pools."""
    options = Options(argv, "Hpo:", "zpool")
    if not options.words:
        raise Usage("missing property argument", "zpool")
    columns = options.last("o", "name,property,value,source").split(",")
    asked = options.words[0]
    names = sorted(set(COLUMNS) - {"name", *_ALIKE}) if asked == "all" else asked.split(",")
    for pool in _named(state, options.words[1:]):
        for name in map(_known, names):
            shown = {"name": pool, "property": name, "source": "-",
                     "value": value(state, faults, pool, name)}  # fmt: skip
            say("\t".join(shown[column] for column in columns))
    return 0


def value(state: State, faults: Faults, pool: str, column: str) -> str:
    """One property; a full pool still has its slop, so that its capacity says 95 %."""
    size = state.pools[pool].size
    free = properties.available(state, faults, pool)
    taken = size * 95 // 100 if faults.full(pool) else max(0, size - free)
    found = {
        "name": pool, "size": size, "allocated": taken, "free": size - taken,
        "capacity": taken * 100 // size, "health": faults.health(pool),
        "guid": state.pools[pool].guid, "load_guid": state.pools[pool].guid, **_FIXED,
    }  # fmt: skip
    return str(found[column])


def zpool_status(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """What is wrong with pools; as JSON from 2.3 on."""
    json_too = "jPpLgvxt" if state.version >= "2.3" else "PpLgvxt"
    words = [word for word in argv if word != "--json-int"]
    options = Options(words, json_too, "zpool")
    pools = _named(state, options.words)
    if options.has("j"):
        say(json.dumps({
            "output_version": {"command": "zpool status", "vers_major": 0, "vers_minor": 1},
            "pools": {pool: _as_json(state, faults, pool) for pool in pools},
        }))  # fmt: skip
        return 0
    for pool in pools:
        _print_status(faults, pool)
    return 0


def _print_status(faults: Faults, pool: str) -> None:
    health, scan = faults.health(pool), faults.scan(pool)
    say(f"  pool: {pool}\n state: {health}")
    if health != "ONLINE":
        say("status: One or more devices are faulted in response to IO failures.")
    if scan:
        say(f"  scan: {scan} in progress since Mon Jun  1 02:00:00 2026")
        say("\t1000 / 5000 scanned at 100/s, 900 / 5000 issued at 90/s\n"
            "\t0 repaired, 18.00% done, 00:01:00 to go")  # fmt: skip
    else:
        say("  scan: none requested")
    say("config:\n\n\tNAME  STATE  READ WRITE CKSUM")
    say(f"\t{pool}  {_vdev(health)}  0 0 0\n\nerrors: No known data errors")


def _as_json(state: State, faults: Faults, pool: str) -> dict[str, object]:
    scan = faults.scan(pool)
    running = {"function": scan.upper(), "state": "SCANNING"} if scan else None
    told: dict[str, object] = {
        "name": pool,
        "state": faults.health(pool),
        "pool_guid": str(state.pools[pool].guid),
        "txg": str(state.txg),
        "error_count": "0",
        "vdevs": {pool: {"name": pool, "vdev_type": "root", "state": _vdev(faults.health(pool))}},
    }
    return {**told, "scan_stats": running} if running else told


def _vdev(health: str) -> str:
    """The root vdev of a suspended pool is only called degraded."""
    return "DEGRADED" if health == "SUSPENDED" else health


def zpool_sync(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """Wait for the next transaction group; on disks that hang, for ever."""
    options = Options(argv, "f", "zpool")
    for pool in _named(state, options.words):
        if faults.health(pool) == "SUSPENDED":
            raise Refused(f"cannot sync pool {pool}: pool I/O is currently suspended")
    state.next_txg()
    return 0


def _named(state: State, names: Sequence[str]) -> list[str]:
    for name in names:
        if name not in state.pools:
            raise Refused(f"cannot open '{name}': no such pool")
    return list(names) or sorted(state.pools)


def _known(column: str) -> str:
    if column not in COLUMNS:
        raise Usage(f"bad property list: invalid property '{column}'", "zpool")
    return _ALIKE.get(column, column)
