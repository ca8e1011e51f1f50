"""Machines: the only part of the program that opens connections and starts processes."""

from emily_infra.machine.child import Program
from emily_infra.machine.door import Machine, connect
from emily_infra.machine.elevate import AsRoot
from emily_infra.machine.faults import (
    CommandFailed,
    Ending,
    Expired,
    HostKeyRefused,
    NotPermitted,
    NotTrusted,
    Refused,
    UnknownHostKey,
    Unreachable,
    UnsafePath,
    WrongHostKey,
)
from emily_infra.machine.local import Local
from emily_infra.machine.nix import Store, below, store
from emily_infra.machine.pipe import Meter, pipe
from emily_infra.machine.stream import stream
from emily_infra.machine.target import Target

__all__ = [
    "AsRoot",
    "CommandFailed",
    "Ending",
    "Expired",
    "HostKeyRefused",
    "Local",
    "Machine",
    "Meter",
    "NotPermitted",
    "NotTrusted",
    "Program",
    "Refused",
    "Store",
    "Target",
    "UnknownHostKey",
    "Unreachable",
    "UnsafePath",
    "WrongHostKey",
    "below",
    "connect",
    "pipe",
    "store",
    "stream",
]
