"""Real pools hold what was foretold."""

import pytest

from benchmarks.capacity import RECORDS, TOLERANCE, empty, filled
from benchmarks.pools import CASES, FILLED
from emily_infra.machine import Machine

pytestmark = pytest.mark.lab


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
