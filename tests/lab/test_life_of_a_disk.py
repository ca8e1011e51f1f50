"""Real disks of a real machine under real ZFS: created on, refused, pulled, replaced."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from emily_infra.lab import Lab, Plan
from emily_infra.spec.load import load_host
from tests.lab.rehearsal import Rehearsal

pytestmark = pytest.mark.lab

DONE, ERROR = 0, 1
NO_POOL = """
storage:
  disks: {{ {0} }}
  pools: null
samba: null
backup: null
secrets: {{ smb-colter: null }}
"""
NAMES = [f"disk-{number}" for number in range(1, 7)]
NEW = "disk-new"
EMPTY = """
zpool list -H -o name | while read -r pool; do zpool destroy -f "$pool"; done
echo 1 >/sys/bus/pci/rescan; udevadm settle
for link in /dev/disk/by-id/disk-*; do
  case $link in *-part*) continue ;; esac
  wipefs --all --force "$link" >/dev/null
  blkdiscard --force --zeroout --length 32MiB "$link"
  blkdiscard --force --zeroout --offset $(($(blockdev --getsize64 "$link") - 33554432)) "$link"
  blockdev --rereadpt "$link"
done
rm -rf /var/lib/emily/storage; udevadm settle
"""
PULL = 'echo 1 >"/sys/block/$(basename "$(readlink -f /dev/disk/by-id/{0})")/device/../remove"'


@dataclass
class Ground:
    """A host whose pool is yet to be made; NEW is in the machine and not in host.yaml."""

    stage: Rehearsal

    @property
    def name(self) -> str:
        return self.stage.name

    @property
    def file(self) -> Path:
        return self.stage.root / "hosts" / self.name / "host.yaml"

    def emily(self, *words: str) -> tuple[int, str]:
        """A command, to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "emily_infra", *words, "--lab"], cwd=self.stage.root,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {"NO_COLOR": "1", "COLUMNS": "160"}, timeout=1200, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, done.stdout

    def create(self) -> tuple[int, str]:
        return self.emily("storage", "create", self.name, "tank", "--confirm", "tank")

    def offline(self, disk: str) -> tuple[int, str]:
        return self.emily("disk", "offline", self.name, disk, "--confirm", disk)

    def console(self, script: str) -> str:
        return self.stage.console(f"set -e\n{script}\n", deadline=600)


def described(stage: Rehearsal) -> None:
    """raidz2 of four, a mirrored special on partitions; written by hand, with a comment."""
    disks = ", ".join(f"{name}: {{ size: 1TB, bay: {name[-1]} }}" for name in NAMES[:4])
    part = f"""
storage:
  disks:
    {{ {disks},
      disk-5: &fast {{ size: 1TB, bay: 5, media: ssd, partitions: {{ 1: {{ size: 8GiB, use: swap }},
                                                       2: {{ size: 64GiB, use: zfs }} }} }},
      disk-6: *fast }}
  pools:
    tank:
      data: [ {{ raidz2: [disk-1, disk-2, disk-3, disk-4] }} ]
      special: [ {{ mirror: [disk-5-part2, disk-6-part2] }} ]
      datasets: {{ work: {{ mountpoint: /srv/work, mounted_by: zfs }} }}
acknowledge:
  - {{ code: STO004, at: "storage.pools.tank.special[0]", reason: a rehearsal }}
samba: null
backup: {{ exempt: {{ tank/work: a rehearsal }} }}
secrets: {{ smb-colter: null }}
"""
    stage.describe(part)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    name = f"disks-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    stage = Rehearsal(name, Path(tmp_path_factory.mktemp("ground")), Lab(name))
    stage.lab.reset()
    disks = ", ".join(f"{each}: {{ size: 1TB }}" for each in [*NAMES, NEW])
    host = stage.describe(NO_POOL.format(disks))
    stage.lab.up(Plan(host, stage.root, memory=1024), tell=print)
    stage.console("modprobe zfs")
    yield Ground(stage)
    stage.lab.down()


@pytest.fixture
def ground(whole: Ground) -> Ground:
    whole.console(EMPTY)
    described(whole.stage)
    return whole


def test_a_pool_is_created_on_blank_disks_and_then_is_there(ground: Ground) -> None:
    code, said = ground.create()

    assert code == DONE, said
    assert "mismatched replication level" in said
    code, said = ground.create()
    assert code == DONE, said
    assert "there is nothing to do" in said
    assert ground.console("zfs list -H -o mounted tank/work").strip() == "yes"
    assert "8589934592" in ground.console("lsblk -bno SIZE /dev/disk/by-id/disk-5-part1")


@pytest.mark.parametrize(
    ("deed", "word"),
    [("printf ',100M\\n' | sfdisk -q --label gpt $D", "gpt"),
     ("printf ',100M\\n' | sfdisk -q --label dos $D", "dos"),
     ("mkfs.ext4 -qF $D", "ext4"), ("mkswap -q $D", "swap"),
     ("zpool create old $D && zpool export old", "pool old (exported"),
     ("zpool create old $D && zpool destroy old", "pool old (destroyed"),
     ("zpool create old $D && zpool export old && dd if=/dev/zero of=$D bs=1M count=64",
      "pool old (exported"),
     ("echo data | dd of=$D bs=1M seek=1", "nothing here has a name for")],
    ids=["gpt", "dos", "ext4", "swap", "exported", "destroyed", "label-at-the-end", "bytes"],
)  # fmt: skip
def test_a_disk_that_carries_something_is_refused(ground: Ground, deed: str, word: str) -> None:
    ground.console(f"D=/dev/disk/by-id/disk-2; {deed}; udevadm settle")

    code, said = ground.create()

    assert code == ERROR, said
    assert "DSK004" in said
    assert word in said
    assert not ground.console("zpool list -H -o name").strip()


def test_a_pool_that_was_exported_is_imported_and_not_created(ground: Ground) -> None:
    assert ground.create()[0] == DONE
    ground.console("zpool export tank")

    code, said = ground.create()

    assert code == ERROR, said
    assert "zpool import -d /dev/disk/by-id tank" in said


def test_killed_in_the_middle_it_goes_on(ground: Ground) -> None:
    words = ("storage", "create", ground.name, "tank", "--confirm", "tank", "--lab")
    for seconds in (4.0, 8.0, 12.0):
        with subprocess.Popen(
            [sys.executable, "-m", "emily_infra", *words], cwd=ground.stage.root,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()

    code, said = ground.create()

    assert code == DONE, said
    assert "tank/work" in ground.console("zfs list -H -o name")


def test_the_third_disk_of_raidz2_is_refused(ground: Ground) -> None:
    assert ground.create()[0] == DONE
    assert ground.offline("disk-1")[0] == DONE
    assert ground.offline("disk-2")[0] == DONE

    code, said = ground.offline("disk-3")

    assert code == ERROR, said
    assert "DSK015" in said
    assert ground.console("zpool status tank").count("OFFLINE") == 2


def test_disks_that_were_pulled_count_at_once(ground: Ground) -> None:
    assert ground.create()[0] == DONE
    ground.console("\n".join(PULL.format(disk) for disk in ("disk-1", "disk-2")))

    code, said = ground.offline("disk-3")

    assert code == ERROR, said
    code, said = ground.emily("disk", "list", ground.name)
    assert code == ERROR
    assert said.count("MISSING") == 2


def test_a_pulled_disk_is_replaced_and_the_data_is_whole(ground: Ground) -> None:
    assert ground.create()[0] == DONE
    ground.console("head -c 300M /dev/urandom >/srv/work/data; sync")
    before = ground.console("sha256sum /srv/work/data")
    ground.console(PULL.format("disk-2"))

    code, said = ground.emily("disk", "replace", ground.name, "disk-2", NEW, "--confirm", NEW)

    assert code == DONE, said
    ground.console("zpool scrub -w tank")
    assert ground.console("sha256sum /srv/work/data") == before
    assert "with 0 errors" in ground.console("zpool status tank")
    host, findings = load_host(ground.file, f"hosts/{ground.name}/host.yaml")
    assert host, findings
    assert host.spec.storage.pools["tank"].data[0].disks == ("disk-1", NEW, "disk-3", "disk-4")
    code, said = ground.create()
    assert "there is nothing to do" in said


def test_a_replacement_goes_on_without_the_operator(ground: Ground) -> None:
    assert ground.create()[0] == DONE
    words = ("disk", "replace", ground.name, "disk-4", NEW)
    assert ground.emily(*words, "--confirm", NEW, "--no-wait")[0] == DONE
    ground.console("zpool wait -t resilver,replace tank")

    code, said = ground.emily(*words)

    assert code == DONE, said
    assert "git diff" in said
    assert NEW in ground.file.read_text()


def test_a_disk_is_lit_by_reading_it(ground: Ground) -> None:
    code, said = ground.emily("disk", "locate", ground.name, "disk-3", "--seconds", "4")

    assert code == DONE, said
    assert "bay 3" in said
    assert "activity light" in said
