"""The simulated fleet waits as long as it says, and nobody waits for anybody else."""

import pytest

from benchmarks.apply import simulate


@pytest.mark.parametrize("count", [1, 20])
def test_a_fleet_with_a_place_for_each_takes_little_more_than_its_slowest_host(count: int) -> None:
    found = simulate(count, pace=0.25)

    assert found.slowest > 0.25 * (0.2 + 0.2 + 1.0 + 10 * 0.05)
    assert found.ratio < 1.3
