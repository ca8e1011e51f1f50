"""How long a resilver takes yet, said no more exactly than it can be known."""

from emily_infra.cli.hands import span
from emily_infra.disks.progress import Sample, estimate
from emily_infra.observe.vdevs import Scan

HOUR = 3600
SCAN = Scan("resilver", "running", at=0)


def test_in_the_beginning_nothing_is_promised() -> None:
    assert estimate(SCAN, [Sample(30, 5.0)]) is None
    assert estimate(SCAN, [Sample(HOUR, 0.4)]) is None
    assert estimate(SCAN, []) is None


def test_an_even_resilver_ends_between_its_mean_and_twice_that() -> None:
    found = estimate(SCAN, [Sample(HOUR, 25.0)])

    assert found
    assert (found.least, found.most) == (3 * HOUR, 6 * HOUR)


def test_one_that_slows_down_widens_the_range() -> None:
    found = estimate(SCAN, [Sample(HOUR, 50.0), Sample(HOUR + 600, 51.0)])

    assert found
    assert found.least < HOUR + 600
    assert abs(found.most - 2 * 49 * 600) < 2


def test_a_range_is_said_in_one_unit() -> None:
    assert span(3 * HOUR, 6 * HOUR) == "3 to 6 h"
    assert span(20, 90) == "20 to 90 s"
    assert span(2 * 24 * HOUR, 5 * 24 * HOUR) == "2 to 5 days"
