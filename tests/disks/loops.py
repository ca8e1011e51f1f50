"""Real block devices on files, under names of our own below /dev/disk/by-id."""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emily_infra.observe import Observation, Question, observe
from tests.observe.machines import Here, program

SIZE = 400 << 20
NAME = "ata-HDD_WD-7"
LABEL = """\
------------------------------------
LABEL {number}
------------------------------------
    version: 5000
    name: 'old'
    state: {state}
    txg: {txg}
    pool_guid: 11070154396563141012
    errata: 0
    hostid: 2219062857
    hostname: 'attic'
    top_guid: 4711
    guid: 4712
    vdev_children: 1
    vdev_tree:
        type: 'disk'
        id: 0
        guid: 4712
        path: '/dev/disk/by-id/ata-HDD_WD-7-part1'
    features_for_read:
        com.delphix:hole_birth
    labels = {number}
"""
FAILED = "".join(f"failed to unpack label {number}\n" for number in range(4))
IN_FRONT = """
mkdir -p /dev/disk && mount -t tmpfs none /dev/disk && mkdir /dev/disk/by-id || exit 1
for pair in $LINKS; do ln -s "${pair#*=}" "/dev/disk/by-id/${pair%%=*}"; done
exec sh
"""


@dataclass
class Loop:
    """One device, and what zdb says of it."""

    device: str
    programs: Path
    links: dict[str, str] = field(default_factory=dict)

    def run(self, *argv: str, stdin: bytes = b"") -> None:
        """Some program on the device, which stands for DEVICE."""
        if not shutil.which(argv[0]):
            pytest.skip(f"needs {argv[0]}")
        words = [word.replace("DEVICE", self.device) for word in argv]
        subprocess.run(words, input=stdin, check=True, capture_output=True)

    def write(self, offset: int, data: bytes) -> None:
        """Bytes on the device; from its end if negative."""
        with Path(self.device).open("r+b") as stream:
            stream.seek(offset if offset >= 0 else SIZE + offset)
            stream.write(data)

    def says(self, label: str) -> None:
        """From now on zdb prints this, of a place where something is."""
        self.write(16 << 10, b"a list of names and values")
        (self.programs / "label").write_text(label)

    def look(self, patience: int = 15) -> Observation:
        """What the real probe makes of it."""
        links = {NAME: self.device, **self.links}
        here = Here(
            ("unshare", "--mount", "sh", "-c", IN_FRONT),
            programs=self.programs,
            environment={"LINKS": " ".join(f"{name}={to}" for name, to in links.items())},
        )
        return observe(here, Question(disks=tuple(links), patience=patience))


@contextmanager
def loop(folder: Path, sector: int = 512) -> Iterator[Loop]:
    """A device of zeros, while the block runs; its logical sectors are that large."""
    if os.geteuid() != 0 or not shutil.which("losetup"):
        pytest.skip("needs root and loop devices")
    file = folder / "disk"
    with file.open("wb") as stream:
        stream.truncate(SIZE)
    made = subprocess.run(
        ["losetup", "--show", "--find", "--sector-size", str(sector), str(file)],
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"no loop devices here: {made.stderr}")
    device = made.stdout.strip()
    (folder / "label").write_text(FAILED)
    program(folder, "zdb", f"cat {folder}/label")
    try:
        yield Loop(device, folder)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def raid(offset: int, version: int = 0) -> bytes:
    """The head of a superblock of Linux software RAID, version 1 (md_p.h)."""
    head = struct.pack("<IIII16s", 0xA92B4EFC, 1, version, 0, bytes(range(16)))
    return (head + bytes(128 - len(head)) + struct.pack("<QQQ", 0, SIZE // 512, offset // 512)
            ).ljust(256, b"\0")  # fmt: skip


UBERBLOCK = struct.pack("<QQQ", 0x00BAB10C, 5000, 312).ljust(1024, b"\0")
