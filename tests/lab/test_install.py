"""A host installed for real, up to what only NixOS can do: its disks, pools, store, boot loader.

The lab's machine plays the installer; the host that is installed has its disks.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from emily_infra.lab import Lab, Plan
from emily_infra.lab.system import build
from emily_infra.machine import connect
from emily_infra.render import render
from emily_infra.render.templates import Templates
from emily_infra.spec.host import Host
from emily_infra.spec.source import read
from tests.hosts import as_host, as_text, overlay
from tests.lab.rehearsal import BASE, Rehearsal, Running

pytestmark = [pytest.mark.lab, pytest.mark.rehearsal]

DONE, ERROR = 0, 1
NAME = "newcomer"
DISKS = ", ".join(f"disk-{number}: {{ size: 1TB }}" for number in range(1, 7))
INSTALLER = f"""
storage:
  disks: {{ {DISKS} }}
  pools: null
samba: null
backup: null
secrets: {{ smb-colter: null }}
"""
NEWCOMER = """
system: { host_id: 8425e35b }
storage:
  disks:
    disk-3: null
    disk-4: null
    disk-5: &boot
      size: 1TB
      media: ssd
      partitions:
        1: { size: 2GiB, use: esp }
        2: { size: 1GiB, use: swap }
        3: { size: 64GiB, use: zfs }
        5: { size: 64GiB, use: zfs }
    disk-6: *boot
  pools:
    rpool:
      data: [ { mirror: [disk-5-part3, disk-6-part3] } ]
      datasets:
        root: { mountpoint: /, snapshots: none }
        nix: { mountpoint: /nix, snapshots: none }
    tank:
      data: [ { mirror: [disk-1, disk-2] } ]
      special: [ { mirror: [disk-5-part5, disk-6-part5] } ]
      datasets:
        loose: { mountpoint: /srv/loose, mounted_by: zfs, snapshots: none }
backup:
  exempt:
    rpool/root: rebuilt from the flake
    rpool/nix: rebuilt from the flake
    tank/loose: nothing of it outlives the rehearsal
"""
AS_INSTALLER = """
rm -f /etc/NIXOS
modprobe zfs
mountpoint -q /sys/firmware || mount -t tmpfs none /sys/firmware
mkdir -p /sys/firmware/efi/efivars
"""
BLANK = """
umount -R /mnt 2>/dev/null || :
zpool list -H -o name | while read -r pool; do zpool destroy -f "$pool"; done
for link in /dev/disk/by-id/disk-?; do
  for part in "$link"-part? "$link"; do
    [ -b "$part" ] || continue
    size=$(blockdev --getsize64 "$part") end=33554432
    [ "$size" -gt "$end" ] || end=$size
    blkdiscard --force --zeroout --length "$end" "$part"
    blkdiscard --force --zeroout --offset $((size - end)) "$part"
  done
  # Busy as long as udev looks at what was written.
  for _ in 1 2 3 4 5; do udevadm settle; ! blockdev --rereadpt "$link" || break; done
done
rm -rf /var/lib/emily/storage; udevadm settle
"""


@dataclass
class Site:
    """An operator, a booted installer, and the host that is to be installed with it."""

    stage: Rehearsal
    host: Host
    system: str
    path: str

    @property
    def project(self) -> Path:
        """A project of its own: the installer and the host have the same addresses."""
        return self.stage.root / "project"

    def begin(self, *words: str) -> Running:
        """The command, which is under way."""
        target = self.stage.lab.console()
        self.stage.count += 1
        log = self.stage.root / f"{self.stage.count}-install.log"
        command = [
            *(sys.executable, "-m", "emily_infra", "install", NAME, "--system", self.system),
            *("--target", f"{target.address}:{target.port}", *words),
        ]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=self.project, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | {"NO_COLOR": "1", "COLUMNS": "160", "PATH": self.path},
            )  # fmt: skip
        return Running(process, log)

    def install(self) -> tuple[int, str]:
        """The command, to its end."""
        running = self.begin("--confirm", NAME)
        running.process.wait(1800)
        assert "Traceback" not in running.said, running.said
        return running.process.returncode, running.said

    def console(self, script: str) -> str:
        """Among the mounts that the installation sees: it comes by the console as well."""
        machine = connect(self.stage.lab.console(), deadline=60)
        try:
            return machine.run("sh", stdin=f"set -e\n{script}\n", deadline=900)
        finally:
            machine.close()

    def opens_as(self, hostid: str) -> str:
        """What is found where a system with this hostid imports the pools without force."""
        return self.console(
            f"echo {hostid} >/proc/sys/kernel/spl/hostid\n"
            "for pool in rpool tank; do zpool import -d /dev/disk/by-id -N -R /mnt $pool; done\n"
            "zfs list -H -o name,mountpoint,mounted\n"
            "mount -t zfs rpool/root /mnt; mount -t zfs rpool/nix /mnt/nix\n"
            "mount -t vfat -o ro /dev/disk/by-id/disk-6-part1 /mnt/boot\n"
            "readlink /mnt/nix/var/nix/profiles/system-1-link; cat /mnt/boot/loader/loader.conf\n"
            "umount -R /mnt; zpool export rpool tank"
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    name = f"installer-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    stage = Rehearsal(name, Path(tmp_path_factory.mktemp("site")), Lab(name))
    stage.lab.reset()
    stage.lab.up(Plan(stage.describe(INSTALLER), stage.root, memory=1536), tell=print)
    program = (Path(__file__).parent / "nixos-install").read_text()
    stage.console(f"cat >/usr/local/bin/nixos-install <<'END'\n{program}END\n"
                  "chmod +x /usr/local/bin/nixos-install")  # fmt: skip
    host = newcomer(stage.root / "project")
    system = build(host, stage.root / "project", stage.lab.overrides())
    yield Site(stage, host, system, _path(stage))
    stage.lab.down()


def newcomer(root: Path) -> Host:
    """hosts/newcomer, rendered."""
    data = overlay(read("base", BASE.encode())[0].data, read("part", NEWCOMER.encode())[0].data)
    host = as_host(NAME, as_text(data))
    folder = root / "hosts" / NAME
    (folder / "generated").mkdir(parents=True)
    (folder / "host.yaml").write_text(as_text(data))
    (folder / "hardware.nix").write_text("{ }\n")
    for name, text in render(host, Templates()).files.items():
        (folder / "generated" / name).write_text(text)
    return host


def _path(stage: Rehearsal) -> str:
    """A PATH whose ssh knows the installer."""
    target = stage.lab.console()
    folder = stage.root / "bin"
    folder.mkdir()
    (stage.root / "ssh_config").write_text(
        f"Host *\n  IdentityFile {target.identity}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {target.known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
    )
    ssh = folder / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {stage.root}/ssh_config "$@"\n')
    ssh.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def site(whole: Site) -> Site:
    """Blank disks, and a machine that was booted to install from."""
    whole.console(AS_INSTALLER + BLANK)
    return whole


def is_installed(site: Site) -> bool:
    """The disks hold a system that another boot finds, whoever boots."""
    assert not site.console("zpool list -H -o name; grep /mnt /proc/mounts || :").strip()
    for hostid in (site.host.spec.system.host_id, "12345678"):
        found = site.opens_as(hostid)
        assert "rpool/root\tlegacy\tno" in found
        assert "tank/loose\t/mnt/srv/loose\tno" in found
        assert site.system in found
        assert "default nixos-generation-1.conf" in found
    return True


def test_blank_disks_become_what_the_next_boot_finds(site: Site) -> None:
    dry = site.begin("--dry-run")
    assert dry.end() == DONE, dry.said
    untouched = site.console("lsblk -rno NAME,TYPE | grep -c part || :")

    code, said = site.install()

    assert code == DONE, said
    assert "nothing was changed" in dry.said
    assert untouched.strip() in ("", "0")
    assert is_installed(site)
    assert "8425e35b" in said or "newcomer is installed" in said


def test_killed_in_the_middle_it_goes_on(site: Site) -> None:
    for word in ("creating tank", "installing"):
        running = site.begin("--confirm", NAME)
        running.until(word)
        running.kill()
        # What it had begun on the other machine goes on there: half a pool is told, and left alone.
        site.console("while pgrep -x 'zpool|zfs|nixos-install'; do sleep 1; done")

    code, said = site.install()

    assert code == DONE, said
    assert is_installed(site)


def test_a_power_cut_among_the_steps_needs_no_force_afterwards(site: Site) -> None:
    running = site.begin("--confirm", NAME)
    running.until("copying the system")
    running.kill()
    site.stage.lab.power_cut()
    site.stage.lab.start()
    site.console(AS_INSTALLER)

    code, said = site.install()

    assert code == DONE, said
    assert "importing tank" in said
    assert is_installed(site)


def test_a_boot_partition_of_somebody_else_is_not_written_over(site: Site) -> None:
    site.console(
        "printf '1 : size=4194304, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\\n' |\n"
        "sfdisk -q --label gpt /dev/disk/by-id/disk-5; udevadm settle\n"
        "mkfs.vfat -F 32 /dev/disk/by-id/disk-5-part1"
    )

    code, said = site.install()

    assert code == ERROR, said
    assert "DSK" in said
    assert "vfat" in said


def test_a_nixos_at_work_is_no_installer(site: Site) -> None:
    site.console("touch /etc/NIXOS")

    code, said = site.install()

    assert code == ERROR, said
    assert "INS002" in said
