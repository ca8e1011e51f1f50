"""The record that every ZFS stream begins with, in its own layout (struct dmu_replay_record)."""

import struct
from typing import BinaryIO

from .answers import Refused

SIZE = 312
_LAYOUT = "<IIQQQIIQQ256s"
_MAGIC = 0x2F5BACBAC
_LARGE, _RESUMING, _COMPRESSED = 1 << 19, 1 << 20, 1 << 22


def beginning(header: "dict[str, object]") -> bytes:
    """What stands before everything else of a stream of the world."""
    properties = bool(header["props"] or header["snapprops"])
    features = _LARGE | _COMPRESSED | (_RESUMING if header["offset"] else 0)
    version = features << 2 | (2 if properties else 1)
    guids = header["toguid"], header["fromguid"]
    name = str(header["toname"]).encode()
    return struct.pack(_LAYOUT, 0, 0, _MAGIC, version, header["creation"], 2, 4, *guids, name)


def skip(stream: BinaryIO) -> bool:
    """Read past it; whether there was one."""
    data = stream.read(SIZE)
    if data and (len(data) < SIZE or struct.unpack_from("<Q", data, 8)[0] != _MAGIC):
        raise Refused("cannot receive: invalid stream (bad magic number)")
    return bool(data)
