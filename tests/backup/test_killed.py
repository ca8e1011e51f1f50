"""kill -9 and power cuts at every step of taking and expiring: the next run needs no hand."""

import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.backup.world import World

HOME, DB = "tank/home", "tank/db"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TIMES = int(os.environ.get("EMILY_CRASHES", "3"))
STEPS = 11
"""Calls of zfs that a run makes here, which takes and expires."""
OLD = [NOON - timedelta(minutes=15 * n) for n in range(10, 0, -1)]


@pytest.fixture
def busy(world: World) -> World:
    """A host whose next run takes one of two datasets, and lets some of each go."""
    world.start(
        policies={"short": {"frequent": 4}},
        datasets={HOME: {"policy": "short"}, DB: {"policy": "short"}},
        quiesce={
            "ledger": {"before": "dump", "after": "go-on", "datasets": [DB], "deadline": 5}
        },
        repositories={},
    )  # fmt: skip
    tool = world.root / "bin/systemctl"
    tool.write_text(f'#!/bin/sh\necho "$*" >> {world.root}/units\n')
    tool.chmod(0o755)
    for dataset in (HOME, DB):
        world.past(dataset, OLD)
    world.zfs("snapshot", f"{HOME}@manual")
    world.zfs("hold", "mine", f"{HOME}@emily-{OLD[0]:%Y%m%dT%H%M%SZ}")
    world.at(NOON)
    return world


def is_as_if_nothing_had_happened(world: World) -> None:
    done = world.run("snapshot")

    assert done.code == 0, done.err
    kept = [f"emily-{at:%Y%m%dT%H%M%SZ}" for at in [*OLD[-3:], NOON]]
    assert world.snapshots(DB) == kept
    held = f"emily-{OLD[0]:%Y%m%dT%H%M%SZ}"
    assert sorted(world.snapshots(HOME)) == sorted([held, "manual", *kept])
    units = (world.root / "units").read_text().split("\n")[:-1]
    assert units[-1] == "start go-on"
    assert list((world.root / "state").glob(".*")) == []
    assert list((world.root / "state").glob("*.damaged")) == []


def test_this_run_makes_as_many_calls_as_are_killed_below(busy: World) -> None:
    before = len(busy.calls())

    is_as_if_nothing_had_happened(busy)

    assert len(busy.calls()) - before == STEPS


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_kill_at_any_step_is_made_up_for_by_the_next_run(
    busy: World, step: int, *, after: bool
) -> None:
    busy.faults.kill("zfs", number=step, after=after)

    assert busy.run("snapshot").code != 0
    busy.faults.clear()

    is_as_if_nothing_had_happened(busy)


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_kill_or_a_power_cut_at_any_moment_is_made_up_for(busy: World, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(2):
        if chance.random() < 0.5:
            busy.faults.cut("zfs", number=chance.randint(1, STEPS), after=chance.random() < 0.5)
            busy.run("snapshot")
            busy.faults.clear()
        else:
            run = busy.begin("snapshot")
            time.sleep(chance.uniform(0.2, 2.0))
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()

    is_as_if_nothing_had_happened(busy)
