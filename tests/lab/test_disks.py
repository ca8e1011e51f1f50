import subprocess

from emily_infra.lab.disks import disks, preparation, serial, udev_rules
from tests.hosts import pebble, shipped

EMBER = shipped("ember").spec


def test_every_disk_has_exactly_the_declared_size() -> None:
    sizes = {disk.name: disk.size for disk in disks(EMBER)}

    assert len(sizes) == 16
    assert sizes["ata-HDD_14"] == 12_000_000_000_000
    assert sizes["nvme-A"] == 960_000_000_000


def test_a_name_that_is_too_long_gets_a_serial_of_its_own() -> None:
    one, other = "ata-WDC_WD40EFRX-68N32N0_WD-A", "ata-WDC_WD40EFRX-68N32N0_WD-B"

    assert len(serial(one)) == 20
    assert serial(one) != serial(other)


def test_a_disk_cannot_pass_for_one_of_the_labs_own() -> None:
    assert serial("lab-root") != "lab-root"


def test_partitions_are_found_by_the_names_of_host_yaml() -> None:
    assert (
        'ENV{DEVTYPE}=="partition", ATTRS{serial}=="nvme-A", SYMLINK+="disk/by-id/nvme-A-part%n"'
        in udev_rules(EMBER)
    )


def test_pools_are_created_with_the_vdevs_of_host_yaml() -> None:
    program = preparation(EMBER)

    (line,) = [line for line in program.splitlines() if "  create " in line and " ember " in line]
    assert line.count("raidz2") == 2
    assert line.count("/ata-HDD_") == 14
    assert "special mirror /dev/disk/by-id/nvme-A-part5 /dev/disk/by-id/nvme-B-part5" in line


def test_datasets_that_nixos_mounts_are_not_mounted_by_zfs() -> None:
    (line,) = [line for line in preparation(EMBER).splitlines() if line.endswith(" rpool/root")]

    assert "mountpoint=legacy" in line


def test_a_host_without_partitions_has_none_made() -> None:
    assert "sfdisk" not in preparation(pebble().spec)


def test_the_program_is_one_that_a_shell_understands() -> None:
    subprocess.run(["sh", "-n"], input=preparation(EMBER), text=True, check=True)
