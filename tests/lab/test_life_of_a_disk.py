"""Real disks of a real machine under real ZFS: created on, refused, taken out, replaced.

The order counts: the tests share one pool, and each leaves it as the next one finds it.
"""

import subprocess

import pytest

from tests.lab.ground import Ground

pytestmark = [pytest.mark.lab, pytest.mark.rehearsal]

DONE, ERROR = 0, 1
BY_ID = "/dev/disk/by-id"
SMALL = ("disk-9", "disk-10")
# What is on each disk, how it got there, and what is said of it. disk-8 is in no pool of host.yaml.
CARRIERS = {
    "disk-1": ("printf ',100M\\n' | sfdisk -q --label gpt $D", "gpt at byte"),
    "disk-2": ("printf ',100M\\n' | sfdisk -q --label dos $D", "dos at byte"),
    "disk-3": ("mkfs.ext4 -qF $D", "ext4 at byte"),
    "disk-4": ("mkswap -q $D", "swap at byte"),
    "disk-5": ("zpool create old $D; zpool export old", "label of pool old (exported"),
    "disk-6": ("zpool create gone $D; zpool destroy gone", "label of pool gone (destroyed"),
    # Its front is gone, and with it the partition; what is left is at its end.
    "disk-7": ("zpool create end $D; zpool export end; blkdiscard -qfz -l 64MiB $D",
               "disk-7 is not blank"),
    "disk-9": ("echo data | dd of=$D bs=1M seek=1 2>&1", "that nothing here has a name for"),
    "disk-10": ("zpool create -O mountpoint=/srv/theirs theirs $D", "is in pool theirs (ONLINE)"),
    "new-1": ("mkfs.ext4 -qF $D; mkdir -p /srv/there; mount $D /srv/there",
              "new-1 is mounted: /srv/there"),
    "virtio-new-2": (":", "new-2 and virtio-new-2 are names of one and the same disk"),
    "new-3": (":", "new-3 is smaller than declared: 68719476736 bytes, not 1000000000000"),
}  # fmt: skip
# Resets the machine, which writes nothing back, once labels come to stand on the pool's last disk.
# Each of them is of transaction group 0 until all disks have theirs. Opening a disk writes 24 KiB
# to it before that, labels are four times 240 KiB.
CUT_AMONG_LABELS = """
mkfifo /run/cut.wait
cat >/run/cut <<'END'
exec 9<>/run/cut.wait
nap() { read -rt 0.002 -u 9; } # a process of its own would take the only processor
whole=$(readlink -f /dev/disk/by-id/disk-8)
stat=/sys/block/${whole#/dev/}/stat
until [ -e /proc/spl/kstat/zfs/tank/state ]; do nap; done
read -r a b c d e f before rest <$stat # sectors
now=$before
while [ "$now" -le "$((before + 256))" ]; do nap; read -r a b c d e f now rest <$stat; done
echo b >/proc/sysrq-trigger
END
systemd-run --quiet --unit=cut chrt --fifo 1 bash /run/cut
"""


@pytest.fixture(scope="module")
def ground(disks: Ground) -> Ground:
    disks.empty()
    return disks


def test_disks_that_carry_something_are_refused_each_with_its_reason(ground: Ground) -> None:
    deeds = [f"D={BY_ID}/{disk}; {deed}" for disk, (deed, _) in CARRIERS.items()]
    ground.console("\n".join([*deeds, "udevadm settle"]))
    before = ground.console("zpool list -H -o name")
    large = [*(disk for disk in CARRIERS if disk not in SMALL), "new-2"]
    sizes = [*(f"{disk}: {{ size: 1TB }}" for disk in large),
             *(f"{disk}: {{ size: 64GiB }}" for disk in SMALL)]  # fmt: skip
    pool = f"data: [ {{ raidz2: [{', '.join(large)}] }} ], cache: [{', '.join(SMALL)}]"
    ground.stage.describe(
        f"storage: {{ disks: {{ {', '.join(sizes)} }}, pools: {{ tank: {{ {pool}, "
        "datasets: null } } }\nsamba: null\nbackup: null\nsecrets: { smb-colter: null }"
    )

    code, said = ground.create()

    assert code == ERROR, said
    told = " ".join(said.split())
    assert [words for _, words in CARRIERS.values() if words not in told] == []
    assert ground.console("zpool list -H -o name") == before
    ground.console("umount /srv/there")
    ground.empty()


def test_cut_off_anywhere_it_goes_on_to_a_pool_without_force_over_its_remains(
    ground: Ground,
) -> None:
    with ground.start("storage", "create", ground.name, "tank", "--confirm", "tank") as process:
        _until(process, "partitioning disk-9")
        process.kill()
    ground.console(CUT_AMONG_LABELS)
    boot = ground.stage.boot_id()
    with ground.start("storage", "create", ground.name, "tank", "--confirm", "tank") as process:
        ground.stage.wait_for_another_boot(boot)
        process.kill()
    ground.console("modprobe zfs; udevadm settle")
    label = ground.console(f"zdb -l {BY_ID}/disk-1-part1 || :")
    assert "name: 'tank'" in label
    assert "txg: 0" in label

    code, said = ground.create()

    assert code == DONE, said
    assert "mismatched replication level" in said
    assert ground.console("zfs list -H -o mounted tank/work").strip() == "yes"
    assert set(ground.states().values()) == {"ONLINE"}
    assert "8589934592" in ground.console(f"lsblk -bno SIZE {BY_ID}/disk-9-part1")
    code, said = ground.create()
    assert code == DONE, said
    assert "there is nothing to do" in said


def _until(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stdout
    said = ""
    while words not in said:
        line = process.stdout.readline()
        assert line, said
        said += line


def test_a_pool_that_was_exported_is_imported_and_not_created(ground: Ground) -> None:
    ground.console("zpool export tank")

    code, said = ground.create()

    assert code == ERROR, said
    assert f"zpool import -d {BY_ID} tank" in said
    ground.console(f"zpool import -d {BY_ID} tank")


def test_a_disk_is_lit_by_reading_it(ground: Ground) -> None:
    code, said = ground.emily("disk", "locate", ground.name, "disk-3", "--seconds", "4")

    assert code == DONE, said
    assert "bay 3" in said
    assert "activity light" in said


def test_a_disk_is_replaced_by_its_guid_and_written_into_host_yaml(ground: Ground) -> None:
    ground.console("head -c 200M /dev/urandom >/srv/work/data; sync")
    before = ground.console("sha256sum /srv/work/data")
    assert ground.offline("disk-2")[0] == DONE
    guid = _guid(ground, "disk-2")

    begun = ground.replace("disk-2", "new-1", "--no-wait")
    ended = ground.replace("disk-2", "new-1")

    assert begun[0] == DONE, begun[1]
    assert f"zpool replace tank {guid}" in begun[1]
    assert ended[0] == DONE, ended[1]
    assert "git diff" in ended[1]
    ground.console("zpool scrub -w tank")
    assert ground.console("sha256sum /srv/work/data") == before
    assert "with 0 errors" in ground.console("zpool status tank")
    pool = ground.host.spec.storage.pools["tank"]
    assert pool.data[0].disks == ("disk-1", "new-1", "disk-3", "disk-4")
    assert "there is nothing to do" in ground.create()[1]


def _guid(ground: Ground, disk: str) -> str:
    pool = ground.seen().pool("tank")
    assert pool
    return next(leaf.guid for leaf in pool.leaves if leaf.path.endswith(f"/{disk}-part1"))


def test_a_disk_that_was_in_a_pool_is_no_new_disk(ground: Ground) -> None:
    code, said = ground.replace("disk-3", "disk-2")

    assert code == ERROR, said
    assert "DSK017" in said
    assert "label of pool tank" in said
