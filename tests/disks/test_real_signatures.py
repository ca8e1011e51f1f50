"""The guard against what real programs write on real devices."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from emily_infra.disks.blank import Guard, Report
from emily_infra.disks.places import Members, places
from emily_infra.observe import Observation
from emily_infra.spec.host import Host
from tests.disks.loops import FAILED, LABEL, NAME, SIZE, UBERBLOCK, Loop, loop, raid
from tests.hosts import pebble


def host(size: str = "400MiB", second: str = "") -> Host:
    also = f", {second}: {{ size: 400MiB }}" if second else ""
    data = f"{{ mirror: [{NAME}, {second}] }}" if second else f"{{ disk: {NAME} }}"
    return pebble(
        f"storage: {{ disks: {{ {NAME}: {{ size: {size}, bay: 7 }}{also} }}, "
        f"pools: {{ scratch: {{ data: [ {data} ] }} }} }}"
    )


def judged(seen: Observation, described: Host | None = None) -> tuple[Report, ...]:
    spec = (described or host()).spec.storage
    return Guard(seen, Members(spec, seen), places(spec, "scratch"), "scratch").reports()


def against(report: Report) -> set[str]:
    return {each.code for each in report.objections}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Loop]:
    with loop(tmp_path) as made:
        yield made


def test_zeros_are_blank(disk: Loop) -> None:
    (report,) = judged(disk.look())

    assert report.objections == ()


GPT = ("sfdisk", "--quiet", "--label", "gpt", "DEVICE")
MBR = ("sfdisk", "--quiet", "--label", "dos", "DEVICE")
LUKS = ("cryptsetup", "luksFormat", "--batch-mode", "--pbkdf=pbkdf2",
        "--pbkdf-force-iterations=1000", "DEVICE", "-")  # fmt: skip
LVM = ("pvcreate", "--config", "devices{scan_lvs=1}", "-qq", "DEVICE")
REAL: dict[str, Callable[[Loop], None]] = {
    "gpt": lambda disk: disk.run(*GPT, stdin=b",100M\n"),
    "dos": lambda disk: disk.run(*MBR, stdin=b",100M\n"),
    "ext4": lambda disk: disk.run("mkfs.ext4", "-qF", "DEVICE"),
    "xfs": lambda disk: disk.run("mkfs.xfs", "-qf", "DEVICE"),
    "btrfs": lambda disk: disk.run("mkfs.btrfs", "-qf", "DEVICE"),
    "LVM2_member": lambda disk: disk.run(*LVM),
    "crypto_LUKS": lambda disk: disk.run(*LUKS, stdin=b"a phrase"),
    "swap": lambda disk: disk.run("mkswap", "DEVICE"),
    "linux_raid_member": lambda disk: disk.write(4096, raid(4096)),
    "zfs_member": lambda disk: disk.write(-(1 << 17), UBERBLOCK * 128),
}


@pytest.mark.parametrize("kind", REAL)
def test_what_a_real_program_has_written_is_found_and_named(disk: Loop, kind: str) -> None:
    REAL[kind](disk)

    (report,) = judged(disk.look())

    assert against(report) == {"DSK004"}
    assert f"{kind} at byte" in report.objections[0].message
    assert "LAST RESORT" not in report.objections[0].hint
    assert f"/dev/disk/by-id/{NAME} &&" in report.objections[0].last_resort


@pytest.mark.parametrize("kind", REAL)
def test_the_last_resort_makes_a_disk_blank(disk: Loop, kind: str) -> None:
    REAL[kind](disk)
    (before,) = judged(disk.look())
    _, command = before.objections[0].last_resort.splitlines()

    disk.run("sh", "-c", command.replace(f"/dev/disk/by-id/{NAME}", "DEVICE"))

    (report,) = judged(disk.look())
    assert report.objections == ()


def test_the_last_resort_does_nothing_to_a_disk_in_use(disk: Loop, tmp_path: Path) -> None:
    disk.run("mkfs.ext4", "-qF", "DEVICE")
    (before,) = judged(disk.look())
    _, command = before.objections[0].last_resort.splitlines()
    (tmp_path / "place").mkdir()
    disk.run("mount", "DEVICE", str(tmp_path / "place"))

    with pytest.raises(subprocess.CalledProcessError):
        disk.run("sh", "-c", command.replace(f"/dev/disk/by-id/{NAME}", "DEVICE"))

    (report,) = judged(disk.look())
    disk.run("umount", str(tmp_path / "place"))
    assert "ext4 at byte" in report.carries[0]
    assert not any(each.last_resort for each in report.objections)


def test_a_raid_superblock_at_the_end_is_found(disk: Loop) -> None:
    disk.write(-8192, raid(SIZE - 8192))

    (report,) = judged(disk.look())

    assert "linux_raid_member" in report.objections[0].message


def test_a_table_without_its_heads_is_found_by_its_bytes(disk: Loop) -> None:
    disk.run(*GPT, stdin=b",100M\n")
    disk.write(0, bytes(1024))
    disk.write(-512, bytes(512))

    (report,) = judged(disk.look())

    assert "data that nothing here has a name for" in report.objections[0].message


def test_a_file_system_behind_a_table_that_is_gone_is_found_by_its_bytes(disk: Loop) -> None:
    disk.write(1 << 20, b"what a partition began with")

    (report,) = judged(disk.look())

    assert against(report) == {"DSK004"}


@pytest.mark.parametrize(
    ("state", "word"), [(0, "active"), (1, "exported"), (2, "destroyed")], ids=str
)
@pytest.mark.parametrize("number", ["0 1 2 3", "2 3"])
def test_the_label_of_a_pool_is_found(disk: Loop, state: int, word: str, number: str) -> None:
    failed = "failed to unpack label 0\nfailed to unpack label 1\n" if number == "2 3" else ""
    disk.says(failed + LABEL.format(number=number, state=state, txg=312))

    (report,) = judged(disk.look())

    assert f"pool old ({word}, last used by attic)" in report.objections[0].message
    assert bool(report.objections[0].last_resort) is (word == "destroyed")


def test_a_program_that_hangs_is_a_disk_that_does_not_answer(disk: Loop) -> None:
    disk.write(0, b"something for zdb to read")
    (disk.programs / "zdb").write_text("#!/bin/sh\nexec sleep 60\n")

    (report,) = judged(disk.look(patience=2))

    assert "does not answer" in report.objections[0].message
    assert against(report) == {"DSK006"}


def test_without_the_program_that_reads_labels_nothing_is_blank(disk: Loop) -> None:
    (disk.programs / "zdb").unlink()

    (report,) = judged(disk.look())

    assert against(report) == {"DSK006"}


def test_partitions_that_came_after_the_reading_were_not_read(disk: Loop) -> None:
    before = disk.look()
    disk.run(*GPT, stdin=b",100M\n")
    disk.run("partx", "--add", "DEVICE")
    after = disk.look()
    disk.run("partx", "--delete", "DEVICE")
    assert any(each.parts for each in after.disks if NAME in each.ids)

    (report,) = judged(replace(after, examined=before.examined))

    assert against(report) == {"DSK006"}
    assert "came or went" in report.objections[0].message


def test_partitions_that_went_after_the_reading_were_not_all_that_is_there(disk: Loop) -> None:
    disk.run(*GPT, stdin=b",100M\n")
    disk.run("partx", "--add", "DEVICE")
    before = disk.look()
    disk.run("partx", "--delete", "DEVICE")

    (report,) = judged(replace(disk.look(), examined=before.examined))

    assert against(report) == {"DSK006"}


@pytest.mark.parametrize("end", ["exit 1", "kill -SEGV $$", "echo half; exit 134"])
def test_a_program_that_breaks_has_not_read_the_labels(disk: Loop, end: str) -> None:
    disk.write(0, b"something for zdb to read")
    (disk.programs / "zdb").write_text(f"#!/bin/sh\n{end}\n")

    (report,) = judged(disk.look())

    assert against(report) == {"DSK006"}


def test_a_label_that_is_not_whole_is_a_label(disk: Loop) -> None:
    disk.says(LABEL.format(number="2", state=0, txg=312))
    with (disk.programs / "zdb").open("a") as script:
        script.write("exit 1\n")

    (report,) = judged(disk.look())

    assert "pool old (active, last used by attic)" in report.objections[0].message


def test_that_there_is_no_label_is_an_answer(disk: Loop) -> None:
    disk.write(0, b"something for zdb to read")
    (disk.programs / "zdb").write_text("#!/bin/sh\nexit 2\n")

    (report,) = judged(disk.look())

    assert against(report) == {"DSK004"}


@pytest.mark.parametrize("size", ["401MiB", "390MiB"])
def test_a_disk_of_another_size_is_not_the_one_that_is_meant(disk: Loop, size: str) -> None:
    (report,) = judged(disk.look(), host(size))

    assert against(report) == {"DSK002"}


def test_a_disk_that_is_given_under_two_names_is_given_twice(disk: Loop) -> None:
    disk.links["scsi-1ATA_7"] = disk.device

    reports = judged(disk.look(), host(second="scsi-1ATA_7"))

    assert [against(each) for each in reports] == [{"DSK003"}, {"DSK003"}]


def test_a_disk_that_is_mounted_is_in_use(disk: Loop, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    disk.run("mkfs.ext4", "-qF", "DEVICE")
    disk.run("mount", "DEVICE", str(place))

    (report,) = judged(disk.look())

    disk.run("umount", str(place))
    assert against(report) == {"DSK004", "DSK005"}
    assert str(place) in report.objections[0].message


def test_what_zdb_says_where_there_is_no_label_is_none(disk: Loop) -> None:
    disk.says(FAILED)

    (report,) = judged(disk.look())

    (carried,) = report.carries
    assert "data that nothing here has a name for" in carried
