"""zpool create on a machine that can be cut off anywhere."""

from pathlib import Path

import pytest

from emily_infra.apply.errors import Locked
from emily_infra.disks.faults import NotCreated, OtherwiseMeant, Stuck
from emily_infra.spec.host import Host
from emily_infra.storage.create import Creation
from emily_infra.zfs.commands import create_pool
from tests.hosts import pebble, shipped
from tests.storage.hardware import BY_ID
from tests.storage.pools import FakePool, Leaf
from tests.storage.world import Cut, World, machine

HOST = pebble()
IDS = ("ata-WDC_WD40EFRX_1", "ata-WDC_WD40EFRX_2")
PARTED = pebble(
    "storage: { disks: { nvme-A: &ssd { size: 500GB, media: ssd, partitions: "
    "{ 1: { size: 1GiB, use: swap }, 2: { size: 64GiB, use: zfs } } }, nvme-B: *ssd }, "
    "pools: { tank: { special: [ { mirror: [nvme-A-part2, nvme-B-part2] } ] } } }"
)


def creation(world: World, host: Host = HOST, pool: str = "tank") -> Creation:
    return Creation(world, host, pool)


def test_blank_disks_become_the_pool_with_its_datasets(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)

    creation(world).make()

    assert world.did("zpool", "create")[-1] == create_pool("tank", HOST.spec.storage.pools["tank"])
    assert world.pools["tank"].datasets == ["tank/home"]
    assert '"event": "created"' in (tmp_path / "events").read_text()


def test_a_disk_with_another_serial_than_its_name_is_not_the_one_that_is_meant(
    tmp_path: Path,
) -> None:
    world = machine(tmp_path, HOST)
    world.disks[0].serial = "WDC_WD60EFRX_9"

    (finding,) = creation(world).look().findings

    assert finding.code == "DSK003"
    assert "has the serial WDC_WD60EFRX_9" in finding.message


def test_what_partitions_held_before_comes_to_light_once_they_are_there_again(
    tmp_path: Path,
) -> None:
    world = machine(tmp_path, PARTED)
    (disk,) = [each for each in world.disks if each.id == "nvme-A"]
    disk.label("2", "old", txg=7, state=1)

    with pytest.raises(NotCreated, match=r"come to light.*pool old"):
        creation(world, PARTED).make()

    assert not world.did("zpool", "create")


def test_a_pool_that_is_there_as_declared_needs_nothing(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    creation(world).make()

    assert creation(world).look().is_done


def test_partitions_are_made_where_they_are_declared(tmp_path: Path) -> None:
    world = machine(tmp_path, PARTED)

    creation(world, PARTED).make()

    (disk,) = [each for each in world.disks if each.id == "nvme-A"]
    assert disk.parts == {"1": 1 << 30, "2": 64 << 30}
    assert disk.signatures["1"] == ["swap"]
    assert ("special", "mirror") in [each[:2] for each in world.pools["tank"].vdevs]


def test_a_table_counts_in_the_sectors_of_its_disk(tmp_path: Path) -> None:
    world = machine(tmp_path, PARTED)
    for disk in world.disks:
        disk.logical = 4096

    creation(world, PARTED).make()

    (disk,) = [each for each in world.disks if each.id == "nvme-A"]
    assert disk.parts == {"1": 1 << 30, "2": 64 << 30}


COMMANDS = 14


def test_so_many_commands_it_takes(tmp_path: Path) -> None:
    world = machine(tmp_path, PARTED)
    world.fuse = COMMANDS

    creation(world, PARTED).make()

    assert world.fuse == 0


@pytest.mark.parametrize("after", range(COMMANDS))
def test_killed_after_any_command_it_goes_on_to_the_same_end(tmp_path: Path, after: int) -> None:
    (tmp_path / "whole").mkdir()
    whole = machine(tmp_path / "whole", PARTED)
    creation(whole, PARTED).make()
    world = machine(tmp_path, PARTED)
    world.fuse = after
    with pytest.raises(Cut):
        creation(world, PARTED).make()

    world.fuse = None
    creation(world, PARTED).make()

    assert world.pools == whole.pools
    assert [each.parts for each in world.disks] == [each.parts for each in whole.disks]
    assert [each.signatures for each in world.disks] == [each.signatures for each in whole.disks]
    assert creation(world, PARTED).look().is_done


@pytest.mark.parametrize("where", ["tables", "labels"])
def test_what_zpool_create_left_half_done_is_known_as_ours(tmp_path: Path, where: str) -> None:
    world = machine(tmp_path, HOST)
    world.middle = where
    with pytest.raises(Cut):
        creation(world).make()

    world.middle = ""
    creation(world).make()

    assert world.pools["tank"].datasets == ["tank/home"]


LENDING = pebble(
    "storage: { disks: { ata-HDD_8: { size: 4TB }, ata-HDD_9: { size: 4TB } }, "
    "pools: { tank: { spares: [ata-HDD_8], cache: [ata-HDD_9] } } }"
)


def test_labels_of_spares_and_caches_name_no_pool_and_are_still_known_as_ours(
    tmp_path: Path,
) -> None:
    world = machine(tmp_path, LENDING)
    world.middle = "labels"
    with pytest.raises(Cut):
        creation(world, LENDING).make()

    world.middle = ""
    creation(world, LENDING).make()

    assert world.pools["tank"].datasets == ["tank/home"]


def test_without_our_record_the_label_of_a_spare_is_somebodys(tmp_path: Path) -> None:
    world = machine(tmp_path, LENDING)
    world.disks[-2].lends("", 3)

    (finding,) = creation(world, LENDING).look().findings

    assert finding.place[-1] == "ata-HDD_8"
    assert "a spare device of some pool" in finding.message


@pytest.mark.parametrize("where", ["tables", "labels"])
def test_the_same_remains_without_our_record_are_not_ours(tmp_path: Path, where: str) -> None:
    world = machine(tmp_path, HOST)
    world.middle = where
    with pytest.raises(Cut):
        creation(world).make()
    (tmp_path / "events").unlink()

    findings = creation(world).look().findings

    assert {each.code for each in findings} == {"DSK004"}
    assert {each.place[-1] for each in findings} == set(IDS)


def test_remains_on_a_disk_that_was_changed_since_are_not_ours(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    world.middle = "tables"
    with pytest.raises(Cut):
        creation(world).make()
    world.disks[0].serial = "1"

    (finding,) = creation(world).look().findings

    assert finding.place[-1] == IDS[0]


def test_a_pool_that_is_only_not_imported_is_never_created_anew(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    world.middle = "pool"
    with pytest.raises(Cut):
        creation(world).make()
    world.middle = ""

    with pytest.raises(NotCreated, match="only not imported") as error:
        creation(world).make()

    assert f"zpool import -d {BY_ID.rstrip('/')} tank" in error.value.hint
    assert len(world.did("zpool", "create")) == 2


def test_a_pool_without_its_datasets_gets_them(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    creation(world).make()
    world.pools["tank"].datasets.clear()
    world.ran.clear()

    creation(world).make()

    assert [argv[:2] for argv in world.ran] == [("zfs", "create")]


def test_another_pool_of_that_name_is_left_alone(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    world.pools["tank"] = FakePool("tank", [("data", "disk", [Leaf("/dev/sdz1")])], [])

    with pytest.raises(NotCreated, match="not the one of"):
        creation(world).make()

    assert not world.ran


def test_a_pool_that_writes_nothing_is_not_called_well(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    creation(world).make()
    world.pools["tank"].age = 600

    with pytest.raises(Stuck, match="600 s"):
        creation(world).look()


def test_what_appears_on_a_disk_at_the_last_moment_stops_it(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    assert not creation(world).look().findings
    world.disks[1].signatures[""] = ["ext4"]

    with pytest.raises(NotCreated, match="ext4"):
        creation(world).make()

    assert not world.did("zpool")


def test_zpool_that_understands_something_else_is_not_let(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    names = "".join(f"\t  {name}\n" for name in IDS)
    world.understands = f"would create 'tank' with the following layout:\n\n\ttank\n{names}"

    with pytest.raises(OtherwiseMeant, match="another layout"):
        creation(world).make()

    assert not world.pools


UNLIKE = "mismatched replication level: pool and new vdev with different redundancy, 2 vs. 1"


def test_force_needs_an_acknowledgement_and_no_other_reason(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    world.minds = UNLIKE
    with pytest.raises(OtherwiseMeant, match="mismatched"):
        creation(world).make()
    world.minds = f"{UNLIKE}\n/dev/sdb1 is part of exported pool 'old'"
    with pytest.raises(OtherwiseMeant, match="exported pool"):
        Creation(world, HOST, "tank", weaker=True).make()
    world.minds = UNLIKE

    Creation(world, HOST, "tank", weaker=True).make()

    assert "-f" in world.did("zpool", "create")[-1]


def test_ember_is_created_with_what_it_acknowledges(tmp_path: Path) -> None:
    host = shipped("ember")
    world = machine(tmp_path, host)
    world.minds = UNLIKE
    for disk in world.disks:
        if disk.id.startswith("nvme"):
            disk.transport = "nvme"
            disk.serial = ""

    Creation(world, host, "ember", weaker=True).make()

    kinds = [each[:2] for each in world.pools["ember"].vdevs]
    assert kinds == [("data", "raidz2"), ("data", "raidz2"), ("special", "mirror")]


def test_nobody_creates_a_pool_while_somebody_deploys(tmp_path: Path) -> None:
    world = machine(tmp_path, HOST)
    world.locked = True

    with pytest.raises(Locked):
        creation(world).make()
