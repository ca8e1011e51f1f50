"""Whether a disk may be written on, a part of it, or what was left behind on it."""

from pathlib import Path

from emily_infra.disks.blank import Guard, Report
from emily_infra.disks.places import Members, Place
from emily_infra.observe import Question, observe
from tests.hosts import pebble
from tests.storage.world import World, machine

PARTED = pebble(
    "storage: { disks: { nvme-A: { size: 500GB, media: ssd, partitions: "
    "{ 2: { size: 64GiB, use: zfs }, 3: { size: 16GiB, use: zfs } } } }, "
    "pools: { tank: { cache: [nvme-A-part2], log: [ { disk: nvme-A-part3 } ] } } }"
)
BODY = PARTED.spec.storage.disks["nvme-A"]


def judged(world: World, *places: Place) -> tuple[Report, ...]:
    seen = observe(world, Question(disks=tuple(dict.fromkeys(each.disk for each in places))))
    return Guard(seen, Members(PARTED.spec.storage, seen), places, "tank").reports()


def codes(report: Report) -> set[str]:
    return {each.code for each in report.objections}


def test_two_partitions_of_one_disk_are_two_places_under_one_name(tmp_path: Path) -> None:
    world = machine(tmp_path, PARTED)
    world.disks[-1].partition({"2": 64 << 30, "3": 16 << 30})
    places = [Place("nvme-A", BODY, (number,)) for number in ("2", "3")]

    reports = judged(world, *places)

    assert [codes(each) for each in reports] == [set(), set()]
