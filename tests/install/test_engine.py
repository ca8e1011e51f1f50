"""An installation on a machine that can be cut off anywhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emily_infra.disks.faults import NotCreated
from emily_infra.disks.partitions import stamp
from emily_infra.install.engine import Installation
from emily_infra.install.faults import Lacks, NotAnInstaller, NotBootable, NotLetGo, TooNew
from tests.install.world import BOX, Box, box, built
from tests.storage.pools import FakePool, Leaf
from tests.storage.world import Cut

TOP = "/nix/store/8h8-nixos-system-pebble"


def install(world: Box, folder: Path) -> None:
    Installation(world, BOX).make(built(folder), world.copy)


def is_installed(world: Box) -> bool:
    """All is on the disks, and nothing is held."""
    assert not world.pools
    assert [path for _, path, _ in world.mounts] == ["/"]
    assert {n: p.datasets for n, p in world.asleep.items()} == {
        "rpool": ["rpool/nix", "rpool/root"], "tank": ["tank/home", "tank/scratch"],
    }  # fmt: skip
    labels = [text for disk in world.disks for text in disk.labels.values()]
    owner = int(BOX.spec.system.host_id, 16)
    assert all("state: 1" in text and f"hostid: {owner}\n" in text for text in labels)
    assert world.profile == TOP
    assert len(world.esps) == 2
    return True


def test_blank_disks_become_a_system_that_the_next_boot_finds(tmp_path: Path) -> None:
    world = box(tmp_path)

    install(world, tmp_path)

    assert is_installed(world)
    for disk in world.disks[2:]:
        assert disk.signatures["1"] == ["vfat"]
        assert disk.uuids["1"] == stamp(disk.id, "1")
        assert disk.signatures["2"] == ["swap"]


def commands(folder: Path) -> int:
    """How many commands a whole installation takes."""
    folder.mkdir()
    world = box(folder)
    world.fuse = 1000
    install(world, folder)
    return 1000 - world.fuse


@pytest.mark.parametrize("power", ["stays", "goes"])
def test_cut_off_anywhere_it_goes_on_to_the_same_end(tmp_path: Path, power: str) -> None:
    total = commands(tmp_path / "whole")
    for after in range(total):
        folder = tmp_path / str(after)
        folder.mkdir()
        world = box(folder)
        world.fuse = after
        with pytest.raises(Cut):
            install(world, folder)

        world.fuse = None
        if power == "goes":
            world.power_cut()
        install(world, folder)

        assert is_installed(world), after
        assert len(world.did("sfdisk")) == 2, after
        assert len(world.did("mkfs.vfat")) == 2, after
        assert len([argv for argv in world.did("zpool", "create") if "-n" not in argv]) == 2


def test_once_more_on_an_installed_host_changes_nothing(tmp_path: Path) -> None:
    world = box(tmp_path)
    install(world, tmp_path)
    world.ran.clear()

    install(world, tmp_path)

    assert is_installed(world)
    made = [("sfdisk",), ("mkfs.vfat",), ("mkswap",), ("zpool", "create"), ("zfs", "create")]
    assert not [argv for words in made for argv in world.did(*words)]


def test_a_creation_that_was_cut_in_the_middle_goes_on(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.middle = "labels"
    with pytest.raises(Cut):
        install(world, tmp_path)

    world.middle = ""
    install(world, tmp_path)

    assert is_installed(world)


def test_labels_that_nobody_recorded_are_not_taken_for_ours(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.middle = "labels"
    with pytest.raises(Cut):
        install(world, tmp_path)
    world.middle = ""
    world.power_cut()

    with pytest.raises(NotCreated, match="not blank"):
        install(world, tmp_path)


def test_a_host_at_work_is_never_installed_over(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.mounts = [("rpool/root", "/", "zfs")]
    world.nixos = True

    with pytest.raises(NotAnInstaller, match="runs NixOS from a disk"):
        install(world, tmp_path)

    assert not world.ran


def test_a_pool_that_somebody_uses_here_is_left_alone(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.pools["tank"] = FakePool("tank", [("data", "disk", [Leaf("/dev/sda1")])], [])

    with pytest.raises(NotAnInstaller, match="somebody uses it"):
        install(world, tmp_path)

    assert not world.ran


def test_another_pool_would_get_the_hostid_too(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.pools["rescue"] = FakePool("rescue", [("data", "disk", [Leaf("/dev/sdz1")])], [])

    with pytest.raises(NotAnInstaller, match="rescue would be marked with it too"):
        install(world, tmp_path)

    assert not world.ran


def test_a_pool_that_another_system_has_not_let_go_of_is_not_taken(tmp_path: Path) -> None:
    world = box(tmp_path)
    install(world, tmp_path)
    for disk in world.disks:
        for number, text in disk.labels.items():
            disk.labels[number] = text.replace("state: 1", "state: 0").replace(
                "hostid: ", "hostid: 1"
            )
    world.ran.clear()

    with pytest.raises(NotAnInstaller, match="used and not exported"):
        install(world, tmp_path)

    assert not world.ran


def test_what_is_mounted_where_the_system_goes_is_in_the_way(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.mounts.append(("/dev/sdz1", "/mnt", "ext4"))

    with pytest.raises(NotAnInstaller, match="/dev/sdz1 on /mnt"):
        install(world, tmp_path)


def test_all_that_the_machine_lacks_is_said_at_once(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.programs = tuple(set(world.programs) - {"nixos-install", "zpool"})
    world.efi = False
    world.zfs = ""

    with pytest.raises(Lacks) as error:
        install(world, tmp_path)

    for word in ("nixos-install", "zpool", "UEFI", "module zfs"):
        assert word in str(error.value)


def test_pools_are_not_made_by_a_zfs_that_is_newer_than_the_hosts(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.zfs = "2.4.0-1"
    made = built(tmp_path)
    made.closure[f"{TOP[:-21]}-zfs-user-2.3.5"] = 1  # type: ignore[index]

    with pytest.raises(TooNew, match=r"2\.4\.0, pebble will run 2\.3"):
        Installation(world, BOX).make(made, world.copy)

    assert not world.ran


@pytest.mark.parametrize(("device", "mark"), [("1", "vfat"), ("3", "ext4"), ("", "ext4")])
def test_what_is_not_our_own_is_never_written_over(tmp_path: Path, device: str, mark: str) -> None:
    world = box(tmp_path)
    disk = world.disks[2]
    if device:
        disk.partition({"1": 2 << 30, "2": 8 << 30, "3": 64 << 30, "5": 32 << 30})
    disk.signatures[device] = [mark]
    disk.uuids[device] = "1234-ABCD"

    with pytest.raises(NotCreated, match=f"nvme-A is not blank: .* {mark}" if device else mark):
        install(world, tmp_path)

    assert not world.ran


def _no_fallback(world: Box) -> None:
    del world.esps["nvme-B-part1"]["EFI/BOOT/BOOTX64.EFI"]


def _short_kernel(world: Box) -> None:
    world.esps["nvme-A-part1"]["EFI/nixos/k-bzImage.efi"] = b"kernel"


def _no_copy(world: Box) -> None:
    world.esps["nvme-B-part1"] = {}


def _other_default(world: Box) -> None:
    world.esps["nvme-A-part1"]["loader/loader.conf"] = b"default nixos-generation-7.conf\n"


def _other_profile(world: Box) -> None:
    world.profile = "/nix/store/old"


def _damage(world: Box) -> None:
    world.damaged = TOP


@pytest.mark.parametrize(
    ("deed", "word"),
    [(_no_fallback, "nvme-B-part1: it has no EFI/BOOT"), (_short_kernel, "is not whole"),
     (_no_copy, "nvme-B-part1: its default entry starts nothing"),
     (_other_default, "nvme-A-part1: its default entry starts nothing"),
     (_other_profile, "leads to /nix/store/old"), (_damage, "differs")],
)  # fmt: skip
def test_what_the_next_boot_would_not_find_is_said_before_all_is_let_go(
    tmp_path: Path, deed: Callable[[Box], None], word: str
) -> None:
    world = box(tmp_path)
    world.spoil = deed

    with pytest.raises(NotBootable) as error:
        install(world, tmp_path)

    assert word in str(error.value)
    assert "/mnt" in {path for _, path, _ in world.mounts}
    world.spoil, world.damaged = None, ""
    install(world, tmp_path)
    assert is_installed(world)


def test_a_pool_that_is_busy_for_a_moment_is_exported_then(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.busy = 1

    install(world, tmp_path)

    assert is_installed(world)


def test_a_pool_that_stays_busy_is_said(tmp_path: Path) -> None:
    world = box(tmp_path)
    world.busy = 9

    with pytest.raises(NotLetGo, match="pool is busy"):
        install(world, tmp_path)

    world.busy = 0
    install(world, tmp_path)
    assert is_installed(world)
