"""A disk that is replaced, from the new one in its bay to host.yaml."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from _pytest.capture import CaptureFixture

from emily_infra.cli.reach import Where
from emily_infra.cli.replacing import Asked, advise, walk
from emily_infra.disks.faults import NoSuchDisk, NotTaken, TooFewLeft
from emily_infra.spec.host import Host
from emily_infra.spec.load import load_host
from emily_infra.storage.offline import offline
from emily_infra.storage.replace import Replacement, label_size
from tests.hosts import as_host, as_text, pebble, shipped
from tests.storage.hardware import BY_ID, FakeDisk
from tests.storage.pools import FakePool, Leaf
from tests.storage.test_offline import RAIDZ2, SIX, SIZES, running, states
from tests.storage.world import Cut, World

OLD, NEW = "ata-HDD_3", "ata-HDD_NEW9"
TB = 10**12


def with_new(world: World, size: int = 4 * TB + 138_625_024, new: str = NEW) -> World:
    world.disks.append(FakeDisk(new, "sdx", size, serial=new.partition("-")[2]))
    return world


def described(folder: Path, host: Host) -> Host:
    """The host with its file in a project."""
    home = folder / "hosts" / host.name
    home.mkdir(parents=True)
    text = as_text(host.source.data)
    (home / "host.yaml").write_text(f"# by hand\n{text}")
    return as_host(host.name, (home / "host.yaml").read_text())


def asked(folder: Path, host: Host, old: str, **more: object) -> Asked:
    given = {"confirm": NEW, "where": Where(), "wait": True, "json": False} | more
    return Asked(folder, host, old, **given)  # type: ignore[arg-type]


def test_a_disk_is_replaced_and_written_into_host_yaml(
    tmp_path: Path, capsys: CaptureFixture[str]
) -> None:
    host = described(tmp_path, RAIDZ2)
    world = with_new(running(tmp_path, host))
    walk(world, asked(tmp_path, host, OLD, wait=False), NEW)
    world.finish("tank")

    walk(world, asked(tmp_path, host, OLD), NEW)

    text = (tmp_path / "hosts/pebble/host.yaml").read_text()
    assert text.startswith("# by hand\n")
    assert OLD not in text
    assert text.count(NEW) == 2
    said = capsys.readouterr()
    assert "git diff hosts/pebble/host.yaml" in said.out
    assert len(world.did("zpool", "replace")) == 1


def test_done_twice_is_done_once(tmp_path: Path) -> None:
    host = described(tmp_path, RAIDZ2)
    world = with_new(running(tmp_path, host))
    walk(world, asked(tmp_path, host, OLD, wait=False), NEW)
    world.finish("tank")
    walk(world, asked(tmp_path, host, OLD), NEW)
    file = tmp_path / "hosts/pebble/host.yaml"
    before = file.read_bytes()
    again, _ = load_host(file, "hosts/pebble/host.yaml")
    assert again

    walk(world, asked(tmp_path, again, OLD), NEW)

    assert file.read_bytes() == before


@pytest.mark.parametrize("after", range(1, 8))
def test_cut_off_anywhere_it_is_taken_up_again(tmp_path: Path, after: int) -> None:
    host = described(tmp_path, RAIDZ2)
    world = with_new(running(tmp_path, host))
    world.fuse = after
    try:
        walk(world, asked(tmp_path, host, OLD, wait=False), NEW)
    except Cut:
        world.fuse = None
        walk(world, asked(tmp_path, host, OLD, wait=False), NEW)
    world.fuse = None
    world.finish("tank")

    walk(world, asked(tmp_path, host, OLD), NEW)

    assert len(world.did("zpool", "replace")) == 1
    assert NEW in (tmp_path / "hosts/pebble/host.yaml").read_text()


def test_a_disk_that_is_gone_is_replaced_by_what_the_pool_remembers(tmp_path: Path) -> None:
    host = described(tmp_path, RAIDZ2)
    world = with_new(running(tmp_path, host))
    world.pull(OLD)

    walk(world, asked(tmp_path, host, OLD, wait=False), NEW)

    (command,) = world.did("zpool", "replace")
    assert command[3].endswith(f"{OLD}-part1")


def test_partitions_of_a_disk_are_all_replaced(tmp_path: Path) -> None:
    host = described(tmp_path, shipped("ember"))
    world = running(tmp_path, host)
    new = "nvme-C"
    world.disks.append(FakeDisk(new, "nvme7n1", 960_197_124_096, transport="nvme"))

    walk(world, asked(tmp_path, host, "nvme-A", wait=False, confirm=new), new)

    taken = {argv[2]: argv[4].rpartition("/")[2] for argv in world.did("zpool", "replace")}
    assert taken == {"ember": "nvme-C-part5", "rpool": "nvme-C-part3"}
    assert world.did("mkswap")
    world.finish("ember")
    world.finish("rpool")
    walk(world, asked(tmp_path, host, "nvme-A", confirm=new), new)
    assert "nvme-C-part5" in (tmp_path / "hosts/ember/host.yaml").read_text()


def foreign(world: World, path: str) -> None:
    """A pool that host.yaml knows nothing of."""
    world.pools["scratch"] = FakePool("scratch", [("data", "disk", [Leaf(f"{BY_ID}{path}")])], [])


def test_a_foreign_pool_on_the_new_disk_hides_nothing_of_what_is_on_its_partitions(
    tmp_path: Path,
) -> None:
    host = shipped("ember")
    world = running(tmp_path, host)
    world.disks.append(FakeDisk("nvme-C", "nvme7n1", 960_197_124_096, transport="nvme"))
    sizes = {number: int(part.size) for number, part in
             host.spec.storage.disks["nvme-A"].partitions.items()}  # fmt: skip
    world.disks[-1].partition(sizes | {"9": 1 << 30})
    world.disks[-1].written |= {"3", "5"}
    foreign(world, "nvme-C-part9")

    with pytest.raises(NotTaken, match=r"p3 holds data .*p5 holds data"):
        Replacement(world, host, "nvme-A", "nvme-C").begin()

    assert not world.ran


BOOT = pebble(
    f"storage: {{ disks: {{ ata-BOOT: {{ size: 500GB }}, {SIZES} }}, "
    f"pools: {{ tank: {{ data: [ {{ raidz2: [{SIX}] }} ] }} }} }}"
)


def test_a_typing_error_makes_no_disk_the_successor_of_another(
    tmp_path: Path, capsys: CaptureFixture[str]
) -> None:
    host = described(tmp_path, BOOT)
    world = running(tmp_path, host)
    before = (tmp_path / "hosts/pebble/host.yaml").read_bytes()

    with pytest.raises(NoSuchDisk, match="no pool has anything on ata-BOOT"):
        walk(world, asked(tmp_path, host, "ata-BOOT"), "ata-HDD_4")

    assert "may be pulled" not in capsys.readouterr().out
    assert (tmp_path / "hosts/pebble/host.yaml").read_bytes() == before


def test_a_disk_of_a_foreign_pool_is_nobodys_successor(tmp_path: Path) -> None:
    host = described(tmp_path, RAIDZ2)
    world = with_new(running(tmp_path, host))
    members = world.pools["tank"].vdevs[0][2]
    del members[2]  # detached by hand, say
    foreign(world, NEW)
    before = (tmp_path / "hosts/pebble/host.yaml").read_bytes()

    with pytest.raises(NoSuchDisk, match=f"no pool has anything on {OLD}"):
        walk(world, asked(tmp_path, host, OLD), NEW)

    assert (tmp_path / "hosts/pebble/host.yaml").read_bytes() == before


def whole(folder: Path, host: Host, old: str, world: World, new: str) -> None:
    """A replacement from its beginning to its end."""
    walk(world, asked(folder, host, old, wait=False, confirm=new), new)
    for pool in world.pools:
        world.finish(pool)
    walk(world, asked(folder, host, old, confirm=new), new)


def test_the_old_disk_may_be_pulled_once_nothing_is_on_it(
    tmp_path: Path, capsys: CaptureFixture[str]
) -> None:
    host = described(tmp_path, RAIDZ2)

    whole(tmp_path, host, OLD, with_new(running(tmp_path, host)), NEW)

    assert f"{OLD} may be pulled" in capsys.readouterr().out


def test_an_old_disk_that_the_system_still_boots_from_is_not_to_be_pulled(
    tmp_path: Path, capsys: CaptureFixture[str]
) -> None:
    host = described(tmp_path, shipped("ember"))
    world = running(tmp_path, host)
    world.disks.append(FakeDisk("nvme-C", "nvme7n1", 960_197_124_096, transport="nvme"))
    (old,) = [each for each in world.disks if each.id == "nvme-A"]
    old.mounts["1"] = "/boot"

    whole(tmp_path, host, "nvme-A", world, "nvme-C")

    said = capsys.readouterr().out
    assert "may be pulled" not in said
    assert "is mounted on /boot" in said


def test_where_a_pool_is_on_a_disk_that_is_not_known_none_is_called_free(
    tmp_path: Path, capsys: CaptureFixture[str]
) -> None:
    host = described(tmp_path, RAIDZ2)
    world = with_new(running(tmp_path, host))
    path = "/dev/disk/by-path/pci-0000:00:17.0-ata-3"
    world.pools["scratch"] = FakePool("scratch", [("data", "disk", [Leaf(path)])], [])

    whole(tmp_path, host, OLD, world, NEW)

    said = capsys.readouterr().out
    assert "may be pulled" not in said
    assert f"scratch is on {path}" in said


@pytest.mark.parametrize("after", range(1, 16))
def test_cut_off_between_two_places_the_other_one_is_taken_up(tmp_path: Path, after: int) -> None:
    host = shipped("ember")
    world = running(tmp_path, host)
    world.disks.append(FakeDisk("nvme-C", "nvme7n1", 960_197_124_096, transport="nvme"))
    world.fuse = after
    with suppress(Cut):
        Replacement(world, host, "nvme-A", "nvme-C").begin()
    world.fuse = None

    standing = Replacement(world, host, "nvme-A", "nvme-C").begin()

    assert standing.is_begun
    assert len(world.did("zpool", "replace")) == 2


def with_hand_made_pool(world: World, disk: str) -> None:
    """A pool that somebody has made on a further partition, by the kernel's name."""
    (old,) = [each for each in world.disks if each.id == disk]
    old.parts["7"] = 1 << 30
    world.pools["hand"] = FakePool("hand", [("data", "disk", [Leaf(old.device("7"))])], [])


def test_a_partition_never_becomes_the_whole_new_disk(tmp_path: Path) -> None:
    host = shipped("ember")
    world = running(tmp_path, host)
    with_hand_made_pool(world, "nvme-A")
    world.disks.append(FakeDisk("nvme-C", "nvme7n1", 960_197_124_096, transport="nvme"))

    with pytest.raises(NotTaken, match="hand is on nvme-A-part7"):
        Replacement(world, host, "nvme-A", "nvme-C").begin()

    assert not world.ran


def test_a_declared_partition_that_its_pool_knows_by_the_kernels_name_keeps_its_number(
    tmp_path: Path,
) -> None:
    host = shipped("ember")
    world = running(tmp_path, host)
    world.disks.append(FakeDisk("nvme-C", "nvme7n1", 960_197_124_096, transport="nvme"))
    (old,) = [each for each in world.disks if each.id == "nvme-A"]
    world.leaf("rpool", f"{BY_ID}nvme-A-part3").path = old.device("3")

    Replacement(world, host, "nvme-A", "nvme-C").begin()

    taken = {argv[2]: argv[4].rpartition("/")[2] for argv in world.did("zpool", "replace")}
    assert taken == {"ember": "nvme-C-part5", "rpool": "nvme-C-part3"}


def test_two_pools_on_one_disk_do_not_both_get_the_whole_new_one(tmp_path: Path) -> None:
    world = with_new(running(tmp_path))
    with_hand_made_pool(world, OLD)

    with pytest.raises(NotTaken, match="hand is on ata-HDD_3-part7"):
        Replacement(world, RAIDZ2, OLD, NEW).begin()

    assert not world.ran


@pytest.mark.parametrize("size", [3_999_000_000_000, 4_000_000_000_000])
def test_a_disk_that_is_too_small_is_not_taken(tmp_path: Path, size: int) -> None:
    world = with_new(running(tmp_path), size)

    with pytest.raises(NotTaken):
        Replacement(world, RAIDZ2, OLD, NEW).begin()

    assert not world.ran


def test_a_disk_with_something_on_it_is_not_taken(tmp_path: Path) -> None:
    world = with_new(running(tmp_path))
    world.disks[-1].signatures[""] = ["btrfs"]

    with pytest.raises(NotTaken, match="btrfs"):
        Replacement(world, RAIDZ2, OLD, NEW).begin()


def test_a_disk_that_has_another_place_is_not_taken(tmp_path: Path) -> None:
    world = running(tmp_path)

    with pytest.raises(NotTaken, match="for another place"):
        Replacement(world, RAIDZ2, OLD, "ata-HDD_4").begin()


def test_what_is_lost_already_cannot_be_filled(tmp_path: Path) -> None:
    world = with_new(running(tmp_path))
    for name in ("ata-HDD_1", "ata-HDD_2", OLD):
        world.pull(name)

    with pytest.raises(TooFewLeft, match="nowhere else"):
        Replacement(world, RAIDZ2, OLD, NEW).begin()


def test_a_larger_disk_is_taken_and_its_size_written(tmp_path: Path) -> None:
    host = described(tmp_path, RAIDZ2)
    world = with_new(running(tmp_path, host), 8_001_563_222_016)
    walk(world, asked(tmp_path, host, OLD, wait=False), NEW)
    world.finish("tank")

    walk(world, asked(tmp_path, host, OLD), NEW)

    after, _ = load_host(tmp_path / "hosts/pebble/host.yaml", "hosts/pebble/host.yaml")
    assert after
    assert str(after.spec.storage.disks[NEW].size) == "8TB"


def test_without_a_new_disk_it_says_what_to_pull_and_what_is_left(
    tmp_path: Path, capsys: CaptureFixture[str]
) -> None:
    world = running(tmp_path)
    offline(world, RAIDZ2, "ata-HDD_1")
    capsys.readouterr()

    advise(world, asked(tmp_path, RAIDZ2, OLD))

    said = capsys.readouterr().out
    assert "bay     3" in said
    assert "serial  HDD_3" in said
    assert "1 may fail now; once it is pulled, 0 more may fail" in said
    assert "no new disk that is large enough is there" in said
    assert "emily-infra disk offline pebble ata-HDD_3" in said


def test_a_new_disk_is_offered_with_the_command(
    tmp_path: Path, capsys: CaptureFixture[str]
) -> None:
    world = with_new(running(tmp_path))

    advise(world, asked(tmp_path, RAIDZ2, OLD))
    advise(world, asked(tmp_path, RAIDZ2, OLD, json=True))

    said = capsys.readouterr().out
    assert f"emily-infra disk replace pebble {OLD} {NEW}" in said
    assert json.loads(said[said.index("{") :])["candidates"] == [NEW]


def test_the_old_disk_stays_until_the_new_one_is_full(tmp_path: Path) -> None:
    world = with_new(running(tmp_path))

    standing = Replacement(world, RAIDZ2, OLD, NEW).begin()

    assert (standing.is_begun, standing.is_done) == (True, False)
    assert states(world).count("ONLINE") == 7


@pytest.mark.parametrize(
    ("size", "label"),
    [(12_000_138_625_024, "12TB"), (960_197_124_096, "960GB"), (256_060_514_304, "256GB"),
     (20_000_588_955_648, "20TB"), (400 << 20, "419430400B")],
)  # fmt: skip
def test_a_disk_is_called_what_is_printed_on_it(size: int, label: str) -> None:
    from emily_infra.spec.units import Size

    assert Size.parse(label_size(size)) == Size.parse(label)
