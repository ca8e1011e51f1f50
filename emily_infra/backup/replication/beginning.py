"""The first record of a ZFS stream, which tells what the rest is before a byte of it is taken.

Its layout is OpenZFS's own (struct dmu_replay_record), and part of the stream's format.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntFlag

from emily_infra.backup.replication.faults import NotTaken

SIZE = 312
_LAYOUT = "IIQQQIIQQ256s"
_MAGIC = 0x2F5BACBAC
_BEGIN = 0
_ONE_SNAPSHOT = 1
_KINDS = {2: "filesystem", 3: "volume"}
_CLONE = 1


class Feature(IntFlag):
    """What a stream may hold that we never send."""

    DEDUPLICATED = 1 << 0
    REDACTED = 1 << 21
    RAW = 1 << 24
    WITH_HOLDS = 1 << 26


_FOREIGN = Feature.DEDUPLICATED | Feature.REDACTED | Feature.RAW | Feature.WITH_HOLDS


@dataclass(frozen=True)
class Beginning:
    """What a stream says of itself."""

    guid: int
    base: int
    creation: datetime
    kind: str
    """filesystem or volume"""


def parse(record: bytes) -> Beginning:
    """What a stream is; NotTaken unless it is one snapshot, plain, and brings no properties."""
    if len(record) < SIZE:
        raise _bad("it ended before it began")
    order = next((each for each in "<>" if _magic(record, each) == _MAGIC), None)
    if order is None:
        raise _bad("it is no ZFS stream")
    fields = struct.unpack_from(f"{order}{_LAYOUT}", record)
    what, _, _, version, creation, kind, flags, guid, base, _ = fields
    foreign = Feature(version >> 2 & 0x3FFFFFFF) & _FOREIGN
    # A compound stream (-R, -p) brings properties along, mountpoints among them.
    if what != _BEGIN or version & 3 != _ONE_SNAPSHOT:
        raise _bad("it is a package of snapshots or of properties")
    if foreign or flags & _CLONE or kind not in _KINDS:
        raise _bad(f"it is {foreign.name or 'a clone'}, and only plain streams are taken in")
    if creation >= 1 << 36:
        raise _bad("its time is out of this world")
    return Beginning(guid, base, datetime.fromtimestamp(creation, UTC), _KINDS[kind])


def _magic(record: bytes, order: str) -> int:
    magic: int = struct.unpack_from(f"{order}Q", record, 8)[0]
    return magic


def _bad(why: str) -> NotTaken:
    return NotTaken(
        f"the stream is refused: {why}; nothing of it was taken in",
        hint="send with this program: emily-infra backup replicate TARGET",
    )
