"""Properties: which there are, where a value comes from, and what is counted when it is asked."""

from __future__ import annotations

import json
import os

from .answers import Usage
from .faults import Faults
from .state import Bookmark, Dataset, Snapshot, State

TYPE_CHECKING = False  # typing itself is slow to import
if TYPE_CHECKING:
    from typing import Any

Value = tuple[str, str]
"""What it is, and its source: local, received, inherited from X, default or -."""
NOTHING: Value = ("-", "-")

INHERITED = {
    "atime": "on", "compression": "on", "recordsize": "131072", "readonly": "off",
    "xattr": "sa", "acltype": "off", "snapdir": "hidden", "sync": "standard", "setuid": "on",
    "devices": "on", "exec": "on", "relatime": "on", "copies": "1", "dedup": "off",
    "logbias": "latency", "primarycache": "all", "secondarycache": "all", "checksum": "on",
    "aclinherit": "restricted", "aclmode": "discard", "dnodesize": "legacy", "overlay": "on",
    "special_small_blocks": "0", "redundant_metadata": "all", "sharenfs": "off",
    "sharesmb": "off", "snapdev": "hidden", "volmode": "default", "nbmand": "off",
}  # fmt: skip
OWN = {
    "canmount": "on", "quota": "0", "refquota": "0", "reservation": "0", "refreservation": "0",
    "filesystem_limit": "18446744073709551615", "snapshot_limit": "18446744073709551615",
}  # fmt: skip
ONCE = {
    "casesensitivity": "sensitive", "utf8only": "off", "normalization": "none", "version": "5",
    "encryption": "off", "keyformat": "none", "keylocation": "none", "pbkdf2iters": "0",
}  # fmt: skip
COUNTED = {
    "name", "type", "guid", "creation", "createtxg", "used", "available", "referenced", "origin",
    "mounted", "written", "userrefs", "clones", "defer_destroy", "encryptionroot", "keystatus",
    "receive_resume_token", "usedbysnapshots", "usedbydataset", "usedbychildren", "logicalused",
    "logicalreferenced", "compressratio", "inconsistent", "numclones", "objsetid",
    "snapshots_changed", "volsize", "mountpoint", "usedbyrefreservation", "snapshot_count",
}  # fmt: skip
SHORT = {"avail": "available", "refer": "referenced", "compress": "compression", "ro": "readonly"}
LARGE = 1 << 40
_NATIVE = {*INHERITED, *OWN, *ONCE, *COUNTED}
_READ_ONLY = COUNTED - {"mountpoint"}


def long_name(name: str) -> str:
    """NAME as it is printed; what nobody knows is refused, as the real program does."""
    known = SHORT.get(name, name)
    if known not in _NATIVE and ":" not in known:
        raise Usage(f"bad property list: invalid property '{name}'")
    return known


def can_be_set(name: str) -> bool:
    """Whether a value can be given."""
    return ":" in name or (name in _NATIVE and name not in _READ_ONLY)


class Asked:
    """The properties of one thing, by its full name."""

    def __init__(self, state: State, faults: Faults, name: str) -> None:
        self.state = state
        self.faults = faults
        self.name = name
        self.owner = name.partition("@")[0].partition("#")[0]
        self.data: Dataset = state.datasets[self.owner]
        self.snapshot: Snapshot | None = state.snapshot(name) if "@" in name else None
        self.bookmark: Bookmark | None = (
            self.data.bookmarks[name.partition("#")[2]] if "#" in name else None
        )

    @property
    def kind(self) -> str:
        """filesystem, snapshot or bookmark."""
        return "snapshot" if self.snapshot else "bookmark" if self.bookmark else "filesystem"

    def value(self, name: str) -> Value:
        """One property; what does not apply is `-`."""
        if ":" in name:
            return self._user(name)
        if name in COUNTED:
            counted = getattr(self, f"_{name}", None)
            return (str(counted()), "-") if counted and name != "mountpoint" else self._rest(name)
        if self.bookmark:
            return NOTHING
        return self._settable(name)

    def _rest(self, name: str) -> Value:
        if name == "mountpoint":
            return NOTHING if self.kind != "filesystem" else self._mountpoint()
        if name in ("guid", "creation", "createtxg"):
            return str(getattr(self.snapshot or self.bookmark or self.data, name)), "-"
        return NOTHING

    def _user(self, name: str) -> Value:
        if self.bookmark:
            return NOTHING
        if self.snapshot and name in self.snapshot.props:
            return self.snapshot.props[name], "local"
        return self._from_above(name, NOTHING)

    def _settable(self, name: str) -> Value:
        if name in OWN or name in ONCE:
            if name == "encryption":
                return self._encryption(), "-"
            given = self.data.props.get(name)
            default = {**OWN, **ONCE}[name], "default" if name in OWN else "-"
            return (given, "local") if given is not None else default
        return self._from_above(name, (INHERITED[name], "default"))

    def _from_above(self, name: str, default: Value) -> Value:
        at = self.owner
        while at:
            data = self.state.datasets.get(at)
            for source, values in (
                (("local", data.props), ("received", data.received)) if data else ()
            ):
                if name in values:
                    mine = at == self.owner and not self.snapshot
                    return values[name], source if mine else f"inherited from {at}"
            at = at.rpartition("/")[0]
        return default

    def _mountpoint(self) -> Value:
        path, source = self._from_above("mountpoint", ("/" + self.owner.split("/")[0], "default"))
        if source == "local" or path in ("none", "legacy"):
            return path, source
        above = (
            source.removeprefix("inherited from ")
            if source != "default"
            else self.owner.split("/")[0]
        )
        below = self.owner[len(above) :]
        return path + below, source

    def _encryption(self) -> str:
        root = self._encryptionroot()
        return self.state.datasets[root].props["encryption"] if root != "-" else "off"

    def _name(self) -> str:
        return self.name

    def _type(self) -> str:
        return self.kind

    def _encryptionroot(self) -> str:
        at = self.owner
        while at:
            data = self.state.datasets.get(at)
            if data and "encryption" in data.props:
                return at if data.props["encryption"] != "off" else "-"
            at = at.rpartition("/")[0]
        return "-"

    def _keystatus(self) -> str:
        root = self._encryptionroot()
        if root == "-":
            return "-"
        return self.state.datasets[root].props.get("world:key", "available")

    def _origin(self) -> str:
        return self.data.origin or "-" if self.kind == "filesystem" else "-"

    def _clones(self) -> str:
        return ",".join(self.state.clones(self.name)) if self.snapshot else "-"

    def _numclones(self) -> str:
        return str(len(self.state.clones(self.name))) if self.snapshot else "-"

    def _userrefs(self) -> str:
        return str(len(self.snapshot.holds)) if self.snapshot else "-"

    def _defer_destroy(self) -> str:
        return "off" if self.snapshot else "-"

    def _mounted(self) -> str:
        return "-" if self.kind != "filesystem" else "yes" if self.data.mounted else "no"

    def _inconsistent(self) -> str:
        return "0"

    def _receive_resume_token(self) -> str:
        partial = self.data.partial if self.kind == "filesystem" else {}
        return token(self.state.folder, partial) if partial else "-"

    def _referenced(self) -> str:
        if self.bookmark:
            return "-"
        return str(self.snapshot.referenced if self.snapshot else self._stored())

    def _logicalreferenced(self) -> str:
        return self._referenced()

    def _used(self) -> str:
        if self.bookmark:
            return "-"
        if self.snapshot:
            return str(self.snapshot.used)
        below = [name for name in self.state.datasets if name.startswith(f"{self.name}/")]
        return str(sum(used(self.state, name) for name in [self.name, *below]))

    def _usedbydataset(self) -> str:
        return str(self._stored()) if self.kind == "filesystem" else "-"

    def _usedbysnapshots(self) -> str:
        if self.kind != "filesystem":
            return "-"
        return str(sum(each.used for each in self.data.snapshots.values()))

    def _written(self) -> str:
        if self.kind != "filesystem":
            return "0"
        newest = max(self.data.snapshots.values(), key=lambda each: each.createtxg, default=None)
        return str(max(0, self._stored() - (newest.referenced if newest else 0)))

    def _available(self) -> str:
        if self.kind != "filesystem":
            return "-"
        return str(available(self.state, self.faults, self.owner.split("/")[0]))

    def _snapshots_changed(self) -> str:
        dates = [each.creation for each in self.data.snapshots.values()]
        return str(max(dates)) if dates and self.kind == "filesystem" else "-"

    def _stored(self) -> int:
        return size(self.state.place(self.data.folder))


def token(folder: str, partial: dict[str, Any]) -> str:
    """What the sender of a stream that broke off needs to go on."""
    header = partial["header"]
    kept = {name: header[name] for name in ("toname", "toguid", "fromguid")}
    return "1-" + json.dumps({**kept, "bytes": arrived(folder, partial)}).encode().hex()


def arrived(folder: str, partial: dict[str, Any]) -> int:
    """How many bytes of it are here."""
    path = os.path.join(folder, "run", f"receive.{partial['header']['toguid']:x}")
    return os.path.getsize(path) if os.path.exists(path) else 0


def size(folder: str) -> int:
    """The bytes on disk of everything below FOLDER."""
    total = 24576
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            total += os.lstat(os.path.join(path, name)).st_blocks * 512
    return total


def has_room(state: State, faults: Faults, pool: str) -> bool:
    """Whether anything can be written; of a pool as large as most it is not counted."""
    if faults.full(pool) or state.pools[pool].size < LARGE:
        return available(state, faults, pool) > 0
    return True


def used(state: State, name: str) -> int:
    """What one dataset and its snapshots take."""
    data = state.datasets[name]
    return size(state.place(data.folder)) + sum(each.used for each in data.snapshots.values())


def available(state: State, faults: Faults, pool: str) -> int:
    """What can still be written to POOL."""
    if faults.full(pool):
        return 0
    fixed = state.pools[pool].available
    if fixed >= 0:
        return fixed
    inside = [name for name in state.datasets if name.split("/")[0] == pool]
    return max(0, state.pools[pool].size - sum(used(state, name) for name in inside))
