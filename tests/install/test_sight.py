"""The program that reads what the next boot will find, run by a real shell on real files."""

import hashlib
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from emily_infra.install.verify import images, sight, unbootable
from tests.disks.loops import Loop, loop
from tests.install.world import BOX, INITRD, KERNEL, bootable, built

TOP = "/nix/store/8h8-nixos-system-pebble"
PROGRAM = files("emily_infra.install").joinpath("sight.sh").read_text()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where a system was installed."""
    root = tmp_path / "mnt"
    profiles = root / "nix/var/nix/profiles"
    profiles.mkdir(parents=True)
    (profiles / "system-1-link").symlink_to(TOP)
    (profiles / "system").symlink_to("system-1-link")
    fill(root / "boot")
    return root


def fill(folder: Path) -> None:
    for path, body in bootable(TOP).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)


def told(root: Path, spares: str = "") -> str:
    head = f"root={root}\nspares='{spares}'\nsizes='{len(KERNEL)} {len(INITRD)}'\n"
    done = subprocess.run(["sh"], input=head + PROGRAM, text=True, check=True, capture_output=True)
    return done.stdout


def test_profile_entries_and_files_are_told(root: Path) -> None:
    found = sight(told(root))

    assert found.profile == TOP
    esp = found.esps["0"]
    assert esp.texts["/boot/loader/loader.conf"] == "timeout 5\ndefault nixos-generation-1.conf\n"
    assert esp.files["EFI/BOOT/BOOTX64.EFI"] == 2
    digest = hashlib.sha256(KERNEL).hexdigest()
    assert ("EFI/nixos/k-bzImage.efi", len(KERNEL), digest) in esp.hashes


def test_secrets_behind_an_initrd_do_not_make_it_another(root: Path, tmp_path: Path) -> None:
    with (root / "boot/EFI/nixos/i-initrd.efi").open("ab") as file:
        file.write(b"secrets")
    made = built(tmp_path)

    reasons = list(unbootable(BOX, made, images(made), sight(told(root))))

    assert reasons == ["nvme-B-part1: the boot partition cannot be read"]


def test_a_folder_with_nothing_in_it_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    made = built(tmp_path)

    reasons = list(unbootable(BOX, made, images(made), sight(told(tmp_path))))

    assert reasons[0] == f"the system profile leads to nothing, not to {TOP}"
    assert reasons[1] == f"nvme-A-part1: its default entry starts nothing, not {TOP}"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Loop]:
    with loop(tmp_path) as made:
        yield made


@pytest.mark.skipif(
    "vfat" not in Path("/proc/filesystems").read_text(), reason="needs a kernel with vfat"
)
def test_a_spare_boot_partition_is_mounted_only_to_be_read(
    root: Path, tmp_path: Path, disk: Loop
) -> None:
    disk.run("mkfs.vfat", "-F", "32", "DEVICE")
    (tmp_path / "esp").mkdir()
    disk.run("mount", "-t", "vfat", "DEVICE", str(tmp_path / "esp"))
    fill(tmp_path / "esp")
    disk.run("umount", "DEVICE")
    made = built(tmp_path)

    found = sight(told(root, disk.device))

    assert not list(unbootable(BOX, made, images(made), found))
    assert disk.device not in Path("/proc/mounts").read_text()
    assert not list(Path("/run").glob("emily-esp.*"))
