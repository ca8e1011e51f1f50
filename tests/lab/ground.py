"""A host whose pool is yet to be made, with disks enough, and what its operator does to them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emily_infra.disks.places import Members
from emily_infra.lab import Lab, Plan
from emily_infra.observe import Observation
from emily_infra.spec.host import Host
from emily_infra.spec.load import load_host
from tests.lab.rehearsal import Rehearsal

DISKS = [f"disk-{number}" for number in range(1, 11)]
NEW = ["new-1", "new-2", "new-3"]
"""These host.yaml does not name; the last is as large as the two of the special mirror."""
_SMALL = ("disk-9", "disk-10", "new-3")
SIZES = {name: "64GiB" if name in _SMALL else "1TB" for name in [*DISKS, *NEW]}
_BARE = "samba: null\nbackup: null\nsecrets: { smb-colter: null }\n"
_EMPTY = """
zpool list -H -o name | while read -r pool; do zpool destroy -f "$pool"; done
echo 1 >/sys/bus/pci/rescan; udevadm settle
zero() {
  blkdiscard -qfz -l "$2" "$1"; blkdiscard -qfz -o $(($(blockdev --getsize64 "$1") - $2)) "$1"
}
for part in /dev/disk/by-id/disk-*-part2 /dev/disk/by-id/new-*-part2; do
  [ ! -b "$part" ] || zero "$part" 33554432
done
for disk in /dev/disk/by-id/disk-* /dev/disk/by-id/new-*; do
  case $disk in *-part*) continue ;; esac
  zero "$disk" 33554432
  # Busy as long as udev looks at what was written.
  for _ in 1 2 3 4 5; do udevadm settle; ! blockdev --rereadpt "$disk" || break; done
done
rm -rf /var/lib/emily/storage; udevadm settle
"""
_PULL = 'echo 1 >"/sys/block/$(basename "$(readlink -f /dev/disk/by-id/{0})")/device/../remove"\n'
_POOL = """
storage:
  disks:
    {{ {disks},
      disk-9: &fast {{ size: 64GiB, bay: 9, media: ssd,
        partitions: {{ 1: {{ size: 8GiB, use: swap }}, 2: {{ size: 32GiB, use: zfs }} }} }},
      disk-10: *fast }}
  pools:
    tank:
      data: [ {{ raidz2: [disk-1, disk-2, disk-3, disk-4] }},
              {{ raidz2: [disk-5, disk-6, disk-7, disk-8] }} ]
      special: [ {{ mirror: [disk-9-part2, disk-10-part2] }} ]
      datasets: {{ work: {{ mountpoint: /srv/work, mounted_by: zfs }} }}
acknowledge:
  - {{ code: STO004, at: "storage.pools.tank.special[0]", reason: a rehearsal }}
samba: null
backup: {{ exempt: {{ tank/work: a rehearsal }} }}
secrets: {{ smb-colter: null }}
"""


@dataclass
class Ground:
    """The machine, its host.yaml, and the operator."""

    stage: Rehearsal
    tell: Callable[[str], None] = print

    @property
    def name(self) -> str:
        return self.stage.name

    @property
    def file(self) -> Path:
        return self.stage.root / "hosts" / self.name / "host.yaml"

    @property
    def host(self) -> Host:
        """As its file is now."""
        host, findings = load_host(self.file, f"hosts/{self.name}/host.yaml")
        assert host, findings
        return host

    # --- the operator

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """A command under way; what it says comes by its standard output."""
        return subprocess.Popen(
            [sys.executable, "-m", "emily_infra", *words, "--lab"], cwd=self.stage.root,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {"NO_COLOR": "1", "COLUMNS": "160", "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip

    def emily(self, *words: str, within: float = 600) -> tuple[int, str]:
        """A command, to its end."""
        began = time.monotonic()
        with self.start(*words) as process:
            said, _ = process.communicate(timeout=within)
        assert "Traceback" not in said, said
        self.tell(f"{time.monotonic() - began:.0f} s: emily-infra {' '.join(words)}")
        return process.returncode, said

    def render(self) -> None:
        """As an operator does whose host.yaml names another disk."""
        command = [sys.executable, "-m", "emily_infra", "render", self.name]
        subprocess.run(command, cwd=self.stage.root, check=True, stdout=subprocess.DEVNULL)

    def create(self) -> tuple[int, str]:
        return self.emily("storage", "create", self.name, "tank", "--confirm", "tank")

    def offline(self, disk: str) -> tuple[int, str]:
        return self.emily("disk", "offline", self.name, disk, "--confirm", disk)

    def replace(self, old: str, new: str, *words: str) -> tuple[int, str]:
        return self.emily("disk", "replace", self.name, old, new, "--confirm", new, *words)

    # --- the world

    def console(self, script: str, deadline: float = 600) -> str:
        return self.stage.console(f"set -e\n{script}\n", deadline=deadline)

    def seen(self) -> Observation:
        return self.stage.seen()

    def empty(self) -> None:
        """No pools, blank disks, and nobody remembers anything."""
        self.stage.console(_EMPTY, deadline=600)
        self.describe()

    def describe(self) -> None:
        """Two raidz2 of four, a mirrored special on partitions."""
        disks = ", ".join(f"{name}: {{ size: 1TB, bay: {name[5:]} }}" for name in DISKS[:8])
        self.stage.describe(_POOL.format(disks=disks))

    def pull(self, *disks: str) -> None:
        """Out of their bays, as far as the kernel can tell."""
        self.console("".join(_PULL.format(disk) for disk in disks))

    def push(self) -> None:
        """All of them back in."""
        self.console("echo 1 >/sys/bus/pci/rescan; udevadm settle")

    def states(self) -> dict[str, str]:
        """What ZFS says of every member of the pool, by its name in host.yaml."""
        seen = self.seen()
        members, pool = Members(self.host.spec.storage, seen), seen.pool("tank")
        assert pool
        return {members.name(leaf): leaf.state for leaf in pool.leaves}


def made(root: Path) -> Ground:
    """The lab with its disks, of which its own generation knows nothing."""
    name = f"disks-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    stage = Rehearsal(name, root, Lab(name))
    stage.lab.reset()
    disks = ", ".join(f"{disk}: {{ size: {size} }}" for disk, size in SIZES.items())
    host = stage.describe(f"storage: {{ disks: {{ {disks} }}, pools: null }}\n{_BARE}")
    stage.lab.up(Plan(host, stage.root, memory=1024), tell=print)
    stage.console("modprobe zfs")
    return Ground(stage)
