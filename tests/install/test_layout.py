"""What host.yaml's disks become."""

import pytest

from emily_infra.install.faults import NotDescribed
from emily_infra.install.layout import all_mounted, bootable, mounting, purposes, secrets
from emily_infra.render.storage import file_systems
from tests.hosts import pebble, shipped

EMBER = shipped("ember")


def test_every_disk_and_partition_of_ember_has_its_purpose() -> None:
    found = {each.name: each.use for each in purposes(EMBER.spec)}

    assert found["nvme-A-part1"] == "/boot"
    assert found["nvme-B-part1"] == "a copy of /boot"
    assert found["nvme-A-part2"] == "swap"
    assert found["nvme-A-part3"] == "pool rpool"
    assert found["nvme-B-part5"] == "pool ember"
    assert found["ata-HDD_7"] == "pool ember"


def test_ember_is_mounted_from_its_root_upwards() -> None:
    commands = [mounting(entry)[1] for entry in file_systems(EMBER.spec)]

    assert commands[0] == ("mount", "-t", "zfs", "rpool/root", "/mnt")
    boot = ("-o", "umask=0077", "/dev/disk/by-id/nvme-A-part1", "/mnt/boot")
    assert commands[1] == ("mount", "-t", "vfat", *boot)


def test_a_host_whose_system_lies_elsewhere_is_not_installed() -> None:
    with pytest.raises(NotDescribed, match="no dataset with `mountpoint: /` and no partition"):
        bootable(pebble())


def test_ember_says_all_that_it_takes() -> None:
    bootable(EMBER)


FSTAB = """\
# This is a generated file.
rpool/root / zfs X-mount.mkdir 0 0
/dev/disk/by-label/old /data ext4 defaults 0 2
tmpfs /tmp tmpfs size=2G 0 0
/dev/disk/by-label/usb /stick vfat noauto 0 0
nas:/x /x nfs defaults 0 0
"""


def test_what_hardware_nix_mounts_has_to_be_described() -> None:
    with pytest.raises(NotDescribed, match=r"/data \(ext4 on /dev/disk/by-label/old\)$"):
        all_mounted(EMBER, FSTAB)


def test_what_a_boot_can_do_without_may_be_missing() -> None:
    all_mounted(EMBER, FSTAB.replace("ext4 defaults", "ext4 defaults,nofail"))


def test_the_secrets_that_a_person_brings_are_named_with_their_files() -> None:
    found = secrets(EMBER.spec)

    assert found["wg0"] == "/run/secrets/wg0"
    assert len(found) == 9
