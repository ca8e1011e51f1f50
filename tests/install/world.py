"""A box that was booted with an installer: disks, a ZFS, mounts, a store and boot partitions.

It can be cut off before any command, and it can lose its power.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from emily_infra.install.survey import PROGRAMS
from emily_infra.machine import CommandFailed, Ending
from emily_infra.observe.generations import System
from emily_infra.plan.model import Built
from emily_infra.spec.host import Host
from tests.hosts import pebble
from tests.observe.made import pairs
from tests.storage.hardware import BY_ID, blank
from tests.storage.pools import FakePool
from tests.storage.world import World

BOX = pebble("""
storage:
  disks:
    nvme-A: &boot
      size: 500GB
      media: ssd
      partitions:
        1: { size: 2GiB, use: esp }
        2: { size: 8GiB, use: swap }
        3: { size: 64GiB, use: zfs }
        5: { size: 32GiB, use: zfs }
    nvme-B: *boot
  pools:
    rpool:
      data: [ { mirror: [nvme-A-part3, nvme-B-part3] } ]
      datasets:
        root: { mountpoint: /, snapshots: none }
        nix: { mountpoint: /nix, snapshots: none }
    tank:
      special: [ { mirror: [nvme-A-part5, nvme-B-part5] } ]
      datasets:
        scratch: { mountpoint: /srv/scratch, mounted_by: zfs, snapshots: none }
backup:
  exempt:
    rpool/root: rebuilt from the flake
    rpool/nix: rebuilt from the flake
    tank/scratch: nothing in it is worth a copy
""")
"""The host pebble with its system on two mirrored disks, which lend the pool a special vdev."""
KERNEL, INITRD = b"kernel" * 100, b"initrd" * 200
LIVE = ("tmpfs", "/", "tmpfs")


@dataclass
class Box(World):
    """The machine; it has let go of everything as long as nothing is in `pools` and `mounts`."""

    mounts: list[tuple[str, str, str]] = field(default_factory=lambda: [LIVE])
    asleep: dict[str, FakePool] = field(default_factory=dict)
    """Pools on its disks that are not imported."""
    store: set[str] = field(default_factory=set)
    profile: str = ""
    esps: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """The files on boot partitions, by their names under by-id."""
    programs: tuple[str, ...] = tuple(PROGRAMS)
    zfs: str = "2.3.4-1"
    efi: bool = True
    nixos: bool = False
    """Whether it calls itself NixOS; installers do so too."""
    damaged: str = ""
    """What nix-store finds damaged."""
    busy: int = 0
    """How often the pools cannot be exported yet."""
    spoil: Callable[["Box"], None] | None = None
    """What goes wrong in nixos-install."""

    def power_cut(self) -> None:
        """Memory is lost; disks stay as they are, and pools stay as if they were used."""
        self.asleep |= self.pools
        self.pools = {}
        self.mounts = [LIVE]
        self.hostid = 0
        (self.folder / "events").unlink(missing_ok=True)

    def answer(self, script: str) -> str:
        """What the probe would print."""
        self.basics = {"/proc/self/mounts": "".join(f"{d} {p} {k} rw 0 0\n"
                                                    for d, p, k in self.mounts)}  # fmt: skip
        asked = (re.findall(r"^programs='?([^'\n]*)'?$", script, re.MULTILINE) or [""])[0].split()
        has = {f"has {name}": "yes" for name in self.programs if name in asked}
        efi = {"efi": "yes"} if self.efi else {}
        self.more = {"ready": pairs(**has, **efi, zfs=self.zfs)} if asked else {}
        for disk in self.disks:
            disk.mounts = {
                number: path
                for number in ("", *disk.parts)
                for device, path, _ in self.mounts
                if device == disk.device(number)
            }
        return super().answer(script)

    def _links(self) -> Iterator[tuple[str, str]]:
        yield from super()._links()
        if self.nixos:
            yield "/etc/NIXOS", ""

    # --- its programs

    def _sh(self, argv: tuple[str, ...], stdin: str) -> None:
        assert argv == ("sh",), argv
        if found := re.search(r"^echo (\w+) >/proc/sys/kernel/spl/hostid$", stdin, re.MULTILINE):
            self.hostid = int(found[1], 16)
        else:
            super()._sh(argv, stdin)

    def _udevadm(self, argv: tuple[str, ...], _: str) -> None:
        assert argv[1] == "settle"

    def _mkdir(self, argv: tuple[str, ...], _: str) -> None:
        assert argv[1] == "-p"

    def _mount(self, argv: tuple[str, ...], _: str) -> None:
        kind, device, path = argv[2], argv[-2], argv[-1]
        parent = path.rpartition("/")[0]
        assert path == "/mnt" or parent == "/mnt/srv" or parent in self._places, "out of order"
        assert path not in self._places, "mounted twice"
        if kind == "zfs":
            assert device in self.pools[device.partition("/")[0]].datasets
        else:
            disk, number = self.disk(device)
            assert disk.signatures[number] == [kind]
            device = disk.device(number)
        self.mounts.append((device, path, kind))

    def _umount(self, argv: tuple[str, ...], _: str) -> None:
        assert argv[1:] == ("--recursive", "/mnt")
        self.mounts = [each for each in self.mounts if not each[1].startswith("/mnt")]

    @property
    def _places(self) -> set[str]:
        return {path for _, path, _ in self.mounts}

    def _zfs_create(self, argv: tuple[str, ...], stdin: str) -> None:
        assert argv[2] == "-u", "nothing is mounted before the root is"
        super()._zfs_create(argv, stdin)

    def _zpool_create(self, argv: tuple[str, ...], stdin: str) -> str:
        assert self.hostid, "the pool would belong to the installer"
        if "nvme" in " ".join(argv) and "-n" not in argv:
            assert all(disk.parts for disk in self.disks if disk.id.startswith("nvme"))
        return super()._zpool_create(argv, stdin)

    def _zpool_import(self, argv: tuple[str, ...], _: str) -> str:
        if argv[2:] == ("-d", BY_ID.rstrip("/")):
            return "".join(
                f"   pool: {name}\n     id: 7\n  state: ONLINE\n" for name in self.asleep
            )
        assert argv[2:-1] == ("-d", BY_ID.rstrip("/"), "-R", "/mnt", "-N")
        assert f"hostid: {self.hostid}\n" in self._label(argv[-1]), "it would need force"
        pool = self.asleep.pop(argv[-1])
        pool.altroot = "/mnt"
        self._relabel(pool.name, state=0)
        self.pools[pool.name] = pool
        return ""

    def _zpool_export(self, argv: tuple[str, ...], _: str) -> None:
        assert not any(path.startswith("/mnt") for _, path, _ in self.mounts), "it is busy"
        if self.busy:
            self.busy -= 1
            raise CommandFailed(self.name, argv, Ending(1, "", "pool is busy"))
        self.asleep[argv[2]] = self.pools.pop(argv[2])
        self._relabel(argv[2], state=1)

    def _label(self, pool: str) -> str:
        return next(text for disk in self.disks for text in disk.labels.values()
                    if f"'{pool}'" in text)  # fmt: skip

    def _relabel(self, pool: str, state: int) -> None:
        for disk in self.disks:
            for number, text in disk.labels.items():
                if f"'{pool}'" in text:
                    text = re.sub(r"hostid: \d+", f"hostid: {self.hostid}", text)
                    disk.labels[number] = re.sub(r"state: \d", f"state: {state}", text)

    def copy(self, toplevel: str, told: Callable[[str], None]) -> None:
        """What `nix copy` does here."""
        if self.fuse is not None and self.fuse == 0:
            self.run("cut")
        assert "/mnt/nix" in self._places, "the store would be in memory"
        told(f"copying path '{toplevel}' to 'ssh-ng://box'...")
        self.store.add(toplevel)

    def _nixos_install(self, argv: tuple[str, ...], _: str) -> None:
        toplevel = argv[argv.index("--system") + 1]
        assert argv[1:3] == ("--root", "/mnt")
        assert {"/mnt", "/mnt/boot", "/mnt/nix"} <= self._places
        assert toplevel in self.store
        self.profile = toplevel
        for disk in self.disks:
            if disk.signatures.get("1") == ["vfat"]:
                self.esps[f"{disk.id}-part1"] = bootable(toplevel)
        if self.spoil:
            self.spoil(self)

    def _unshare(self, argv: tuple[str, ...], stdin: str) -> str:
        assert argv == ("unshare", "--mount", "sh")
        sizes = [int(n) for n in re.findall(r"^sizes='(\d+) (\d+)'$", stdin, re.MULTILINE)[0]]
        lines = [f"profile {self.profile}"]
        for number, name in enumerate(sorted(self.esps)):
            lines += [f"esp {number}", *_told(number, self.esps[name], sizes)]
        return "\n".join(lines)

    def _xargs(self, argv: tuple[str, ...], stdin: str) -> None:
        assert argv[1:] == ("nix-store", "--store", "/mnt", "--verify-path")
        assert set(stdin.split()) <= self.store
        if self.damaged:
            raise CommandFailed(self.name, argv, Ending(1, "", f"path '{self.damaged}' differs"))


def _told(number: int, files: dict[str, bytes], sizes: list[int]) -> list[str]:
    lines = []
    for path, body in files.items():
        if path.startswith("loader/"):
            lines += [f"text {number} {path} {line}" for line in body.decode().splitlines()]
            continue
        lines.append(f"file {number} {len(body)} {path}")
        for size in sizes:
            digest = hashlib.sha256(body[:size]).hexdigest()
            lines.append(f"hash {number} {size} {digest} {path}")
    return lines


def bootable(toplevel: str) -> dict[str, bytes]:
    """The files that NixOS puts on a boot partition."""
    entry = (
        "title NixOS\nversion Generation 1 NixOS 26.05\nlinux /EFI/nixos/k-bzImage.efi\n"
        f"initrd /EFI/nixos/i-initrd.efi\noptions init={toplevel}/init quiet\n"
    )
    return {
        "loader/loader.conf": b"timeout 5\ndefault nixos-generation-1.conf\n",
        "loader/entries/nixos-generation-1.conf": entry.encode(),
        "EFI/BOOT/BOOTX64.EFI": b"MZ",
        "EFI/nixos/k-bzImage.efi": KERNEL,
        "EFI/nixos/i-initrd.efi": INITRD,
    }


def box(folder: Path, host: Host = BOX) -> Box:
    """The host's machine with nothing on its disks."""
    return Box(folder, blank(host), name="nixos")


def built(folder: Path) -> Built:
    """A system whose kernel and initrd are files here."""
    top = "/nix/store/8h8-nixos-system-pebble"
    for name, body in (("kernel", KERNEL), ("initrd", INITRD)):
        (folder / name).write_bytes(body)
    system = System(top, kernel=f"{folder}/kernel", initrd=f"{folder}/initrd")
    return Built(system=system, unit_files={}, wanted=frozenset(), closure={top: 1},
                 boot_files={}, source={})  # fmt: skip
