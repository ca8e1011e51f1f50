"""A machine with disks and a ZFS of our own making, which answers the real questions.

It can be cut off before or after any command, and in the middle of zpool create.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from emily_infra.machine import CommandFailed, Ending
from emily_infra.observe.observation import DISK_EVENTS
from emily_infra.spec.host import Host
from tests.observe.made import datasets, links, printed, texts
from tests.storage.hardware import BY_ID, FakeDisk, blank
from tests.storage.pools import FakePool, Leaf, listed, resilver, tree, understood

NOW = 1_795_259_000
LENT = {"spare": 3, "cache": 4}


class Cut(Exception):
    """The operator's program was killed, or the machine lost its power."""


@dataclass
class World:
    """The machine."""

    folder: Path
    disks: list[FakeDisk]
    pools: dict[str, FakePool] = field(default_factory=dict)
    name: str = "pebble"
    minds: str = ""
    """What zpool create would need force for."""
    understands: str = ""
    """What zpool create -n prints, if not the truth."""
    ran: list[tuple[str, ...]] = field(default_factory=list)
    fuse: int | None = None
    """How many more commands are done before it is cut off."""
    middle: str = ""
    """Where zpool create is cut off: tables, labels, or pool, by a power cut."""
    locked: bool = False
    hostid: int = 0
    """By which the kernel's ZFS knows this machine."""
    basics: dict[str, str] = field(default_factory=dict)
    """Further files that the probe reads as they are."""
    more: dict[str, str] = field(default_factory=dict)
    """Further sections of its answer."""

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        """What the machine's program prints."""
        del deadline
        if self.fuse is not None:
            if self.fuse == 0:
                raise Cut
            self.fuse -= 1
        if argv == ("sh",) and "emily-probe" in stdin:
            return self.answer(stdin)
        if argv == ("sh",) and DISK_EVENTS.rpartition("/")[0] in stdin:
            return self._shell(stdin)
        self.ran.append(argv)
        words = argv[:2] if argv[0] in ("zpool", "zfs") else argv[:1]
        handler = getattr(self, re.sub(r"\W", "_", "_" + "_".join(words)))
        return str(handler(argv, stdin) or "")

    def close(self) -> None:
        """Nothing is held open."""

    def did(self, *words: str) -> list[tuple[str, ...]]:
        """The commands that begin so."""
        return [argv for argv in self.ran if argv[: len(words)] == words]

    def disk(self, path: str) -> tuple[FakeDisk, str]:
        """The disk and the partition behind a name."""
        name = path.removeprefix(BY_ID)
        whole, _, number = name.rpartition("-part")
        for each in self.disks:
            if each.id == name:
                return each, ""
            if each.id == whole:
                return each, number
        raise AssertionError(path)

    def pull(self, disk: str) -> None:
        """Take a disk out of its bay; ZFS notices nothing of it."""
        self.disks = [each for each in self.disks if each.id != disk]

    # --- the answer to the probe

    def answer(self, script: str) -> str:
        """What the probe would print."""
        asked = (re.findall(r"^disks='?([^'\n]*)'?$", script, re.MULTILINE) or [""])[0].split()
        events = self.folder / "events"
        state = {DISK_EVENTS: events.read_text()} if events.exists() else {}
        sections = self.more | {
            "basics": texts(
                self.basics
                | {
                    "/proc/sys/kernel/hostname": f"{self.name}\n",
                    "/proc/locks": "1: FLOCK ADVISORY WRITE 9 00:19:77 0 EOF"
                    if self.locked
                    else "",
                }
            ),
            "state": texts(state),
            "clock": f"{NOW}\n",
            "links": links(*self._links()),
            "block_devices": json.dumps({"blockdevices": list(self._devices())}),
            "kernel_on_pools": texts(dict(self._kernel())),
            "pools": "".join(map(self._properties, self.pools.values())),
            "pool_status": "".join(map(self._status, self.pools.values())),
        }
        for number, pool in enumerate(self.pools.values(), start=1):
            sections[f"pool.{number}.name"] = pool.name
            told = {"type": "filesystem", "guid": "1", "creation": str(NOW), "mounted": "no"}
            sections[f"pool.{number}.datasets"] = datasets(
                dict.fromkeys((pool.name, *pool.datasets), told)
            )
        hung = {}
        for number, name in enumerate(asked, start=1):
            sections[f"disk.{number}.name"] = f"{name}\n"
            found = [each for each in self.disks if each.id == name]
            sections[f"disk.{number}.signatures"] = found[0].look if found else ""
            if found and found[0].hangs:
                hung[f"disk.{number}.signatures"] = "hung"
        return printed(sections, **hung)

    def _links(self) -> Iterator[tuple[str, str]]:
        yield "/run/nixos/switch-to-configuration.lock", ""
        for disk in self.disks:
            for number in ("", *disk.parts):
                name = disk.id + (f"-part{number}" if number else "")
                yield f"{BY_ID}{name}", f"../../{disk.device(number).removeprefix('/dev/')}"

    def _devices(self) -> Iterator[dict[str, object]]:
        for disk in self.disks:
            yield {
                "name": disk.kernel, "type": "disk", "size": disk.size, "serial": disk.serial,
                "model": disk.model, "tran": disk.transport, "rota": True, "ro": False,
                "mountpoints": [disk.mounts.get("")], "fstype": disk.filesystem(""),
                "log-sec": disk.logical,
            }  # fmt: skip
            for number, size in disk.parts.items():
                yield {
                    "name": disk.device(number).removeprefix("/dev/"), "type": "part",
                    "pkname": disk.kernel, "size": size, "mountpoints": [disk.mounts.get(number)],
                    "fstype": disk.filesystem(number),
                }  # fmt: skip

    def _kernel(self) -> Iterator[tuple[str, str]]:
        yield "/proc/spl/kstat/zfs/fm", f"0 1 0x01 4 1088 1 {10**15}\n"
        for pool in self.pools.values():
            birth = 10**15 - int(pool.age * 10**9)
            yield f"/proc/spl/kstat/zfs/{pool.name}/state", "ONLINE\n"
            yield f"/proc/spl/kstat/zfs/{pool.name}/txgs", f"9 {birth} C 0 0 0 0 0 0 0 0 0\n"

    def _properties(self, pool: FakePool) -> str:
        values = {"guid": "77", "health": "ONLINE", "ashift": pool.ashift, "altroot": pool.altroot}
        return "".join(f"{pool.name}\t{name}\tlocal\t{value}\n" for name, value in values.items())

    def _status(self, pool: FakePool) -> str:
        return (
            f"  pool: {pool.name}\n state: ONLINE\n{pool.scan}config:\n\n"
            f"\tNAME  STATE  READ WRITE CKSUM\n{''.join(listed(pool))}\n"
            "errors: No known data errors\n"
        )

    # --- its programs

    def _shell(self, script: str) -> str:
        """The real recorder, in a folder of our own."""
        script = script.replace(DISK_EVENTS.rpartition("/")[0], str(self.folder))
        return subprocess.run(
            ["sh"], input=script, text=True, check=True, capture_output=True
        ).stdout

    def _sh(self, argv: tuple[str, ...], stdin: str) -> None:
        assert argv == ("sh",), argv
        assert "appear /dev" in stdin

    def _sfdisk(self, argv: tuple[str, ...], stdin: str) -> None:
        disk, _ = self.disk(argv[-1])
        assert not disk.parts
        rows = re.findall(r"^(\d+) : size=(\d+), type=", stdin, re.MULTILINE)
        disk.partition({number: int(size) * disk.logical for number, size in rows})

    def _mkswap(self, argv: tuple[str, ...], _: str) -> None:
        disk, number = self.disk(argv[-1])
        disk.signatures[number] = ["swap"]

    def _mkfs_vfat(self, argv: tuple[str, ...], _: str) -> None:
        disk, number = self.disk(argv[-1])
        disk.signatures[number] = ["vfat"]
        if "-i" in argv:
            disk.uuids[number] = argv[argv.index("-i") + 1]

    def _zpool_sync(self, argv: tuple[str, ...], _: str) -> None:
        assert argv[2] in self.pools

    def _zpool_create(self, argv: tuple[str, ...], _: str) -> str:
        words = [word for word in argv[2:] if word not in ("-n", "-f")]
        altroot = words[words.index("-R") + 1] if "-R" in words else "-"
        while words[0] in ("-o", "-O", "-R"):
            del words[:2]
        name, vdevs = words[0], tree(words[1:])
        if self.minds and "-f" not in argv:
            text = "invalid vdev specification\nuse '-f' to override the following errors:\n"
            text += f"{self.minds}\n"
            raise CommandFailed(self.name, argv, Ending(1, "", text))
        if "-n" in argv:
            return self.understands or understood(name, vdevs)
        for role, _, members in vdevs:
            for leaf in FakePool(name, [(role, "", members)], []).leaves():
                self._take(leaf.path, name, role)
        if self.middle in ("tables", "labels"):
            raise Cut
        if self.middle == "pool":
            self._commit(name)
            raise Cut
        self._commit(name)
        self.pools[name] = FakePool(name, vdevs, [], altroot=altroot)
        return ""

    def _take(self, path: str, pool: str, role: str = "") -> None:
        disk, number = self.disk(path)
        if "1" not in disk.parts or "9" in disk.parts:
            disk.partition({"1": disk.size - (9 << 20), "9": 8 << 20})
        if self.middle == "tables":
            return
        if role in LENT:
            disk.lends(number or "1", LENT[role])
        else:
            disk.label(number or "1", pool, txg=0, hostid=self.hostid)

    def _commit(self, pool: str) -> None:
        for disk in self.disks:
            for number, text in disk.labels.items():
                if f"'{pool}'" in text:
                    disk.labels[number] = text.replace("txg: 0", "txg: 4")

    def _zpool_import(self, argv: tuple[str, ...], _: str) -> str:
        raise AssertionError(argv)

    def _zpool_offline(self, argv: tuple[str, ...], _: str) -> None:
        self.leaf(argv[2], argv[3]).state = "OFFLINE"

    def _zpool_replace(self, argv: tuple[str, ...], _: str) -> None:
        pool, new = self.pools[argv[2]], argv[4]
        old = self.leaf(argv[2], argv[3])
        self._take(new, pool.name)
        number = "" if "-part" in new else "-part1"
        fresh = Leaf(f"{new}{number}", note="(resilvering)")
        for _, _, members in pool.vdevs:
            if old in members:
                members[members.index(old)] = [old, fresh]
        pool.scan = resilver(0.5, NOW - 100)

    def leaf(self, pool: str, path: str) -> Leaf:
        """A member by the name that zpool would take."""
        return next(each for each in self.pools[pool].leaves() if each.path == path)

    def finish(self, pool: str) -> None:
        """The resilver ends."""
        body = self.pools[pool]
        body.scan = "  scan: resilvered 1T in 05:00:00 with 0 errors on Sat Nov 21 11:58:13 2026\n"
        for _, _, members in body.vdevs:
            for at, each in enumerate(members):
                if isinstance(each, list):
                    each[1].note = ""
                    members[at] = each[1]

    def _zfs_create(self, argv: tuple[str, ...], _: str) -> None:
        pool = self.pools[argv[-1].partition("/")[0]]
        assert argv[-1] not in pool.datasets
        pool.datasets.append(argv[-1])


def machine(folder: Path, host: Host) -> World:
    """A host's machine with nothing on its disks."""
    return World(folder, blank(host), name=host.name)
