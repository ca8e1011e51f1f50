"""What the kernel says of a pool, and how long a busy one is left to others."""

import threading
import time

import pytest

from emily_infra.backup import pools
from tests.backup.world import World

HEAD = "txg birth state ndirty nread nwritten reads writes otime qtime wtime stime"


def txgs(*seconds: float, now: int | None = None) -> str:
    born = (now or time.monotonic_ns()) - 10**9
    lines = [f"{n} {born} C 0 0 1 0 1 0 0 0 {int(s * 10**9)}" for n, s in enumerate(seconds)]
    return "\n".join([f"15 1 0x01 100 11200 1000 {born + 10**9}", HEAD, *lines, ""])


def test_a_pool_is_as_busy_as_the_slowest_of_its_latest_groups() -> None:
    assert pools.sync_seconds(txgs(9, 9, 0.1, 3.5, 0.1, 0.2, 0.1)) == 3.5
    assert pools.sync_seconds(txgs(0.1)) == 0.1
    assert pools.sync_seconds("") == 0.0


def test_a_group_that_is_still_being_written_says_nothing_yet() -> None:
    assert pools.sync_seconds(txgs(0.2) + "9 1 S 0 0 0 0 0 0 0 0 9000000000\n") == 0.2


def test_a_busy_pool_is_left_to_others_until_it_is_not(world: World) -> None:
    file = world.root / "kstat/tank/txgs"
    file.write_text(txgs(4))
    threading.Timer(1.5, lambda: file.write_text(txgs(0.1))).start()
    begun = time.monotonic()

    pools.breathe(world.here(), "tank")

    assert 1 < time.monotonic() - begun < 20


def test_a_pool_that_stands_still_meanwhile_is_given_up(world: World) -> None:
    (world.root / "kstat/tank/txgs").write_text(txgs(4))
    threading.Timer(0.5, lambda: world.faults.health("tank", "SUSPENDED")).start()
    (world.root / "kstat/tank/txgs").write_text(txgs(4))

    with pytest.raises(pools.Standstill):
        pools.breathe(world.here(), "tank")


def test_a_pool_that_the_kernel_does_not_know_is_not_imported(world: World) -> None:
    with pytest.raises(pools.Standstill, match="pool attic is not imported"):
        pools.alive(world.here(), "attic")


def test_a_pool_is_low_by_what_datasets_may_have(world: World) -> None:
    assert not pools.is_low(world.here(), "tank")

    world.faults.full("tank")

    assert pools.is_low(world.here(), "tank")
