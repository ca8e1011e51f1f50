"""Tables as the real sfdisk writes them on real devices."""

from pathlib import Path

import pytest

from emily_infra.disks import partitions
from emily_infra.disks.blank import Guard, Report
from emily_infra.disks.places import Members, places
from emily_infra.observe import Observation
from tests.disks.loops import NAME, loop
from tests.hosts import pebble

HOST = pebble(
    f"storage: {{ disks: {{ {NAME}: {{ size: 400MiB, partitions: "
    "{ 1: { size: 64MiB, use: esp }, 2: { size: 100MB, use: zfs }, 5: { size: 50MiB, use: zfs } } "
    f"}} }}, pools: {{ scratch: {{ data: [ {{ disk: {NAME}-part2 }}, {{ disk: {NAME}-part5 }} ] "
    "} } }"
)


def judged(seen: Observation) -> tuple[Report, ...]:
    spec = HOST.spec.storage
    return Guard(seen, Members(spec, seen), places(spec, "scratch")).reports()


@pytest.mark.parametrize("sector", [512, 4096])
def test_partitions_are_as_large_as_declared_whatever_the_sectors(
    tmp_path: Path, sector: int
) -> None:
    with loop(tmp_path, sector) as disk:
        (blank,) = judged(disk.look())
        words = [word.replace(f"/dev/disk/by-id/{NAME}", "DEVICE")
                 for word in partitions.partitioning(NAME)]  # fmt: skip
        disk.run(*words, stdin=blank.table.encode())
        disk.run("partx", "--add", "DEVICE")

        seen = disk.look()
        disk.run("partx", "--delete", "DEVICE")

    (report,) = judged(seen)
    wanted = [int(part.size) // sector * sector
              for part in HOST.spec.storage.disks[NAME].partitions.values()]  # fmt: skip
    assert report.objections == ()
    assert report.found
    assert [part.size for part in report.found.parts] == wanted
