"""Real pools hold what was foretold."""

import pytest

from benchmarks.capacity import RECORDS, TOLERANCE, empty, filled
from benchmarks.pools import CASES, FILLED
from emily_infra.machine import Machine
from emily_infra.zfs.capacity import capacity
from emily_infra.zfs.geometry import whole_disk_partition
from tests.hosts import as_host
from tests.lab.rehearsal import BASE, Rehearsal

pytestmark = [pytest.mark.lab, pytest.mark.rehearsal]
SPEC = as_host("rehearsal", BASE).spec


def test_every_pool_has_the_size_and_the_room_that_was_foretold(machine: Machine) -> None:
    found = empty(machine)

    wrong = [
        (each.case.name, each.trouble, each.available - each.case.forecast.available)
        for each in found
        if not each.exact
    ]
    assert len(found) == len(CASES)
    assert wrong == []


def test_random_data_takes_what_was_foretold_within_two_per_cent(machine: Machine) -> None:
    found = filled(machine)

    wrong = [
        (each.case.name, each.record, f"{each.off:+.2%}")
        for each in found
        if abs(each.off) > TOLERANCE
    ]
    assert len(found) == len(FILLED) * len(RECORDS)
    assert wrong == []


def test_whole_disks_are_partitioned_and_their_pool_is_as_foretold(host: Rehearsal) -> None:
    part, listed = (
        host.console("blockdev --getsize64 /dev/disk/by-id/disk-1-part1"),
        host.console("zpool list -Hpo size tank; zfs list -Hpo used,available tank").split(),
    )

    size, used, available = map(int, listed)
    storage = SPEC.storage
    forecast = capacity(storage.pools["tank"], storage.disks)
    assert int(part) == whole_disk_partition(int(storage.disks["disk-1"].size))
    assert forecast
    assert (forecast.size, forecast.available) == (size, used + available)
