"""A disk taken out of its pools, on a machine that can be cut off."""

from pathlib import Path

import pytest

from emily_infra.disks.faults import NoSuchDisk, TooFewLeft, Unknown
from emily_infra.spec.host import Host
from emily_infra.storage.create import Creation
from emily_infra.storage.offline import leaving, look, offline
from tests.hosts import pebble, shipped
from tests.storage.hardware import FakeDisk
from tests.storage.pools import FakePool, Leaf, resilver
from tests.storage.world import NOW, Cut, World, machine

SIX = ", ".join(f"ata-HDD_{number}" for number in range(1, 7))
SIZES = ", ".join(f"ata-HDD_{number}: {{ size: 4TB, bay: {number} }}" for number in range(1, 7))
RAIDZ2 = pebble(
    f"storage: {{ disks: {{ {SIZES} }}, pools: {{ tank: {{ data: [ {{ raidz2: [{SIX}] }} ] }} }} }}"
)


def running(folder: Path, host: Host = RAIDZ2) -> World:
    """A machine with the host's pools, all well."""
    world = machine(folder, host)
    for disk in world.disks:
        if disk.id.startswith("nvme"):
            disk.serial = ""
    for pool in host.spec.storage.pools:
        Creation(world, host, pool, weaker=True).make()
    world.ran.clear()
    return world


def states(world: World, pool: str = "tank") -> list[str]:
    return [leaf.state for leaf in world.pools[pool].leaves()]


def test_two_disks_of_raidz2_may_go_and_the_third_may_not(tmp_path: Path) -> None:
    world = running(tmp_path)
    offline(world, RAIDZ2, "ata-HDD_1")
    offline(world, RAIDZ2, "ata-HDD_2")

    with pytest.raises(TooFewLeft, match="of 2 disks that it may lose 0 remain"):
        offline(world, RAIDZ2, "ata-HDD_3")

    assert states(world) == ["OFFLINE", "OFFLINE", *["ONLINE"] * 4]
    assert len(world.did("zpool", "offline")) == 2


def test_a_disk_that_is_out_stays_out(tmp_path: Path) -> None:
    world = running(tmp_path)
    offline(world, RAIDZ2, "ata-HDD_1")

    assert offline(world, RAIDZ2, "ata-HDD_1") == ()


def test_disks_that_were_pulled_count_though_zfs_calls_them_online(tmp_path: Path) -> None:
    world = running(tmp_path)
    world.pull("ata-HDD_1")
    world.pull("ata-HDD_2")

    with pytest.raises(TooFewLeft):
        offline(world, RAIDZ2, "ata-HDD_3")


def test_a_pool_that_hangs_is_not_touched(tmp_path: Path) -> None:
    world = running(tmp_path)
    world.pools["tank"].age = 90

    with pytest.raises(TooFewLeft, match="stuck"):
        offline(world, RAIDZ2, "ata-HDD_1")

    assert not world.ran


def test_while_a_disk_is_filled_one_less_may_go(tmp_path: Path) -> None:
    world = running(tmp_path)
    offline(world, RAIDZ2, "ata-HDD_1")
    (leaf, *_) = world.pools["tank"].leaves()
    leaf.state, leaf.note = "ONLINE", "(resilvering)"
    world.pools["tank"].scan = resilver(12.0, NOW - 60)
    offline(world, RAIDZ2, "ata-HDD_2")

    with pytest.raises(TooFewLeft, match="a resilver is not over"):
        offline(world, RAIDZ2, "ata-HDD_3")


def test_a_disk_with_several_members_leaves_all_of_its_pools(tmp_path: Path) -> None:
    ember = shipped("ember")
    world = running(tmp_path, ember)

    done = offline(world, ember, "nvme-A")

    assert [each.pool.name for each in done] == ["ember", "rpool"]
    assert states(world, "rpool") == ["OFFLINE", "ONLINE"]
    with pytest.raises(TooFewLeft):
        offline(world, ember, "nvme-B")


def test_cut_off_between_two_pools_it_goes_on(tmp_path: Path) -> None:
    ember = shipped("ember")
    world = running(tmp_path, ember)
    world.fuse = 3
    with pytest.raises(Cut):
        offline(world, ember, "nvme-A")

    world.fuse = None
    offline(world, ember, "nvme-A")

    assert states(world, "rpool") == ["OFFLINE", "ONLINE"]
    assert "OFFLINE" in states(world, "ember")


def test_a_disk_that_nobody_knows_is_no_disk(tmp_path: Path) -> None:
    world = running(tmp_path)

    with pytest.raises(NoSuchDisk):
        leaving(RAIDZ2.spec.storage, "ata-HDD_77", look(world, RAIDZ2))


SPARE_DISK = pebble(
    f"storage: {{ disks: {{ ata-BOOT: {{ size: 500GB }}, {SIZES} }}, "
    f"pools: {{ tank: {{ data: [ {{ raidz2: [{SIX}] }} ] }} }} }}"
)


def boot(world: World) -> FakeDisk:
    return next(each for each in world.disks if each.id == "ata-BOOT")


def hint(world: World, disk: str = "ata-BOOT") -> str:
    """What is advised of a disk that no pool has anything on."""
    with pytest.raises(NoSuchDisk, match=f"no pool has anything on {disk}") as error:
        offline(world, SPARE_DISK, disk)
    return f"{error.value}: {error.value.hint}"


def test_a_disk_with_nothing_on_it_may_be_pulled_as_it_is(tmp_path: Path) -> None:
    world = running(tmp_path, SPARE_DISK)

    assert hint(world).endswith("it may be pulled as it is")


@pytest.mark.parametrize("kind", ["ext4", "zfs_member", "swap", "LVM2_member", "vfat"])
@pytest.mark.parametrize("number", ["", "1"])
def test_a_disk_with_something_on_it_may_not_be_pulled_as_it_is(
    tmp_path: Path, kind: str, number: str
) -> None:
    world = running(tmp_path, SPARE_DISK)
    boot(world).parts = {"1": 1 << 30}
    boot(world).signatures[number] = [kind]

    said = hint(world)

    assert "pulled" not in said
    assert f"holds {kind}" in said


def test_a_disk_that_is_mounted_may_not_be_pulled_as_it_is(tmp_path: Path) -> None:
    world = running(tmp_path, SPARE_DISK)
    boot(world).parts = {"1": 1 << 30}
    boot(world).mounts["1"] = "/boot"

    said = hint(world)

    assert "pulled" not in said
    assert "is mounted on /boot" in said


def test_a_disk_that_the_machine_does_not_see_is_in_no_pool_and_that_is_all(
    tmp_path: Path,
) -> None:
    world = running(tmp_path, SPARE_DISK)
    world.pull("ata-BOOT")

    assert "pulled" not in hint(world)


@pytest.mark.parametrize("path", ["/dev/disk/by-path/pci-0000:00:17.0-ata-3", "/dev/sdq1"])
def test_a_pool_on_a_disk_that_is_not_known_may_be_on_any(tmp_path: Path, path: str) -> None:
    world = running(tmp_path, SPARE_DISK)
    world.pools["old"] = FakePool("old", [("data", "disk", [Leaf(path)])], [])

    with pytest.raises(Unknown, match=f"old is on {path}"):
        offline(world, SPARE_DISK, "ata-BOOT")


def test_a_pool_that_zpool_says_nothing_of_may_be_on_any(tmp_path: Path) -> None:
    world = running(tmp_path, SPARE_DISK)
    world.pools["old"] = FakePool("old", [], [])

    with pytest.raises(Unknown, match="does not say on which disks old is"):
        offline(world, SPARE_DISK, "ata-BOOT")


def test_what_was_done_is_on_record(tmp_path: Path) -> None:
    world = running(tmp_path)

    offline(world, RAIDZ2, "ata-HDD_4")

    (event,) = [e for e in look(world, RAIDZ2).disk_events if e.word == "offlined"]
    assert (event.details["pool"], event.details["disk"]) == ("tank", "ata-HDD_4")
