"""Disks of our own making, with what is on them."""

import json
from dataclasses import dataclass, field

from emily_infra.spec.host import Host
from tests.observe.made import pairs

BY_ID = "/dev/disk/by-id/"


@dataclass
class FakeDisk:
    """A disk with what is on it, device by device: "" is the disk itself, "1" a partition."""

    id: str
    kernel: str
    size: int
    serial: str = ""
    model: str = "HDD"
    transport: str = "sata"
    logical: int = 512
    parts: dict[str, int] = field(default_factory=dict)
    signatures: dict[str, list[str]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    hangs: bool = False
    mounts: dict[str, str] = field(default_factory=dict)
    uuids: dict[str, str] = field(default_factory=dict)
    """Of file systems, by partition."""

    def device(self, number: str) -> str:
        joint = "p" if number and self.kernel[-1].isdigit() else ""
        return f"/dev/{self.kernel}{joint}{number}"

    def filesystem(self, number: str) -> str | None:
        """What the machine's index of devices has."""
        kinds = (kind for kind in self.signatures.get(number, []) if kind not in ("gpt", "PMBR"))
        return next(kinds, None)

    def partition(self, sizes: dict[str, int]) -> None:
        """Write a table."""
        self.parts = sizes
        self.signatures[""] = ["gpt", "PMBR"]
        self.written.add("")

    def lends(self, number: str, state: int) -> None:
        """Write the label of a spare (3) or a cache (4), which names no pool."""
        self.labels[number] = f"    version: 5000\n    state: {state}\n    guid: 8\n"
        self.signatures[number] = [*self.signatures.get(number, []), "zfs_member"]
        self.written.add(number)

    def label(self, number: str, pool: str, txg: int, state: int = 0, hostid: int = 0) -> None:
        """Write the label of a pool."""
        self.labels[number] = (
            f"    version: 5000\n    name: '{pool}'\n    state: {state}\n    txg: {txg}\n"
            f"    pool_guid: 77\n    hostid: {hostid}\n    hostname: 'pebble'\n    guid: 8\n"
        )
        self.signatures[number] = [*self.signatures.get(number, []), "zfs_member"]
        self.written.add(number)

    @property
    def look(self) -> str:
        """What the probe's programs print of it."""
        found: dict[str, str] = {}
        for number in ("", *self.parts):
            device = self.device(number)
            marks = [{"device": device.removeprefix("/dev/"), "offset": "0x0", "type": kind,
                      "uuid": self.uuids.get(number)}
                     for kind in self.signatures.get(number, [])]  # fmt: skip
            found |= {
                f"exit {device}": "0", f"wipefs {device}": json.dumps({"signatures": marks}),
                f"label {device}": self.labels.get(number, "failed to unpack label 0\n"),
                f"bytes {device}": "9" if number in self.written else "0",
            }  # fmt: skip
        return pairs(**found)


def blank(host: Host) -> list[FakeDisk]:
    """The disks of a host as they come out of the box."""
    return [
        FakeDisk(name, f"sd{chr(97 + number)}", int(body.size) + 138_625_024,
                 serial=name.partition("-")[2])
        for number, (name, body) in enumerate(host.spec.storage.disks.items())
    ]  # fmt: skip
