"""Expiring: only ours, only what is still what it was, in few commands, and never by mistake."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.backup.expire import destroying
from tests.backup.world import World

HOME, PHOTOS, DB = "tank/home", "tank/home/photos", "tank/db"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def quarters(world: World) -> World:
    """A host that keeps four quarter hours, and has twelve of one dataset."""
    world.start(
        policies={"short": {"frequent": 4}},
        datasets={HOME: {"policy": "short"}},
        repositories={},
    )
    world.at(moments(12)[0])
    world.take(HOME)
    world.past(HOME, moments(12)[1:])
    world.at(NOON)
    return world


def moments(count: int, step: timedelta = QUARTER) -> list[datetime]:
    return [NOON - n * step for n in range(count - 1, -1, -1)]


def names(count: int) -> list[str]:
    return [f"emily-{at:%Y%m%dT%H%M%SZ}" for at in moments(count)]


def foretold(world: World, dataset: str = HOME, *words: str) -> dict[str, Any]:
    done = world.run("expire", "--dry-run", "--json", *words)
    return next(
        each for pool in json.loads(done.out) for each in pool["datasets"]
        if each["dataset"] == dataset
    )  # fmt: skip


def destroyed(world: World) -> list[list[str]]:
    return [argv for argv in world.calls() if argv[0] == "destroy"]


def test_what_the_policy_keeps_no_longer_goes_in_one_command(quarters: World) -> None:
    done = quarters.run("expire")

    assert done.code == 0, done.err
    assert quarters.snapshots(HOME) == names(4)
    assert "tank/home: 8 expired, 4 kept" in done.out
    assert destroyed(quarters) == [["destroy", f"{HOME}@{','.join(names(12)[:8])}"]]


def test_a_dry_run_tells_the_reasons_and_changes_nothing(quarters: World) -> None:
    before = foretold(quarters)
    done = quarters.run("expire", "--dry-run")

    assert done.code == 0, done.err
    assert quarters.snapshots(HOME) == names(12)
    assert before["expired"] == names(12)[:8]
    assert before["kept"][-1]["reasons"] == ["newest", "frequent"]
    assert "tank/home: 12 of ours, 8 would go" in done.out
    assert done.out.count("expires") == 8


@pytest.mark.parametrize("columns", ["80", "160"])
def test_the_table_fits_the_terminal(quarters: World, columns: str) -> None:
    quarters.environment["COLUMNS"] = columns

    done = quarters.run("expire", "--dry-run")

    assert max(map(len, done.out.splitlines())) <= int(columns)


def test_held_cloned_missing_and_mounted_ones_stay_and_all_others_go(quarters: World) -> None:
    mounted, held, cloned, gone = names(12)[:4]
    quarters.zfs("hold", "keep", f"{HOME}@{held}")
    quarters.zfs("clone", f"{HOME}@{cloned}", "tank/clone")
    shell = f"mkdir seen && mount -t zfs -o ro {HOME}@{mounted} seen && echo up && read forever"
    reader = quarters.begin_program("unshare", "--mount", "sh", "-c", shell)
    assert reader.stdout
    assert reader.stdout.read(2) == b"up"
    quarters.zfs("destroy", f"{HOME}@{gone}")

    done = quarters.run("expire")

    reader.kill()
    reader.communicate()
    assert quarters.snapshots(HOME) == [mounted, held, cloned, *names(4)]
    assert done.code == 3
    assert f"BKP014: {HOME}: 1 expired snapshots are in use: {HOME}@{mounted}" in done.err
    assert done.out.startswith(f"{HOME}: 4 expired, 7 kept")


def test_what_is_held_only_after_the_plan_was_made_stays_too(quarters: World) -> None:
    first = names(12)[0]
    tool = quarters.root / "bin/zfs"
    real = tool.rename(tool.with_name("zfs.real"))
    tool.write_text(
        f'#!/bin/sh\nif [ "$1" = destroy ] && mkdir {quarters.root}/once 2>/dev/null; then\n'
        f'  {real} hold late {HOME}@{first}\nfi\nexec {real} "$@"\n'
    )
    tool.chmod(0o755)

    done = quarters.run("expire")

    assert done.code == 0, done.err
    assert quarters.snapshots(HOME) == [first, *names(4)]


def test_one_that_was_replaced_by_another_of_its_name_is_not_the_one_that_was_judged(
    quarters: World,
) -> None:
    first = names(12)[0]
    tool = quarters.root / "bin/zfs"
    real = tool.rename(tool.with_name("zfs.real"))
    tool.write_text(
        f'#!/bin/sh\ncase "$*" in *clones*)\n  if mkdir {quarters.root}/once 2>/dev/null; then\n'
        f"    {real} destroy {HOME}@{first}\n"
        f"    {real} snapshot -o org.emily-infra:policy=policy {HOME}@{first}\n  fi ;;\nesac\n"
        f'exec {real} "$@"\n'
    )
    tool.chmod(0o755)

    quarters.run("expire")

    assert first in quarters.snapshots(HOME)
    assert len(quarters.snapshots(HOME)) == 5


def test_snapshots_that_are_not_ours_are_never_touched(quarters: World) -> None:
    foreign = ["manual_1", "autosnap_2020-01-01_00:00:00_daily", "zrepl_20200101_000000_000"]
    quarters.at(NOON - timedelta(days=900))
    for name in [*foreign, "emily-20200101T000000Z", "emily-before"]:
        quarters.zfs("snapshot", f"{HOME}@{name}")
    quarters.zfs("snapshot", "-o", "org.emily-infra:policy=policy", f"{HOME}@mine")
    quarters.at(NOON)

    quarters.run("expire")

    left = quarters.snapshots(HOME)
    assert {*foreign, "emily-20200101T000000Z", "emily-before", "mine"} < set(left)
    assert foretold(quarters)["not_ours"] == 6


def test_a_snapshot_from_the_future_stops_a_dataset_until_a_person_has_looked(
    quarters: World,
) -> None:
    quarters.at(NOON + timedelta(days=3652))
    quarters.run("snapshot", "--reason", "apply")
    quarters.at(NOON + QUARTER)

    stopped = quarters.run("expire")
    assert stopped.code == 1
    assert "BKP012: tank/home: " in stopped.err
    assert len(quarters.snapshots(HOME)) == 13

    allowed = quarters.run("expire", "--clock-is-right")
    assert allowed.code == 0, allowed.err
    assert len(quarters.snapshots(HOME)) == 4
    assert quarters.run("expire").code == 0


def test_a_look_ahead_by_a_clock_that_is_right_tells_what_goes(quarters: World) -> None:
    quarters.at(NOON + timedelta(days=1))
    quarters.take(HOME)
    quarters.later(minutes=15)
    quarters.take(HOME)
    quarters.at(NOON + QUARTER)

    told = foretold(quarters, HOME, "--clock-is-right")
    before = quarters.snapshots(HOME)
    quarters.run("expire", "--clock-is-right")

    gone = [name for name in before if name not in quarters.snapshots(HOME)]
    assert told["expired"] == gone


def test_a_clock_that_says_less_than_ever_before_destroys_nothing(quarters: World) -> None:
    quarters.run("snapshot")
    quarters.past(HOME, moments(20))
    quarters.at(NOON - timedelta(hours=1))

    done = quarters.run("expire")

    assert done.code == 1
    assert "BKP012" in done.err
    assert len(quarters.snapshots(HOME)) == 20


def test_what_the_clock_said_survives_damage_to_its_file(quarters: World) -> None:
    quarters.run("expire")
    (quarters.root / "state/clock.json").write_text('{"highest": "2026-')

    done = quarters.run("snapshot")

    assert done.code == 0, done.err
    assert "clock.json was damaged and is begun anew" in done.err
    assert quarters.run("snapshot").err == ""


def test_after_a_long_pause_a_person_is_asked_once(quarters: World) -> None:
    quarters.run("expire")
    quarters.later(days=2)
    quarters.run("snapshot")

    assert quarters.run("expire").code == 1
    assert quarters.run("expire", "--clock-is-right").code == 0
    assert quarters.run("expire").code == 0


def test_a_clock_that_was_far_ahead_for_a_while_leaves_no_trace_where_nothing_was_taken(
    quarters: World,
) -> None:
    quarters.run("expire")
    quarters.at(NOON + timedelta(days=3652))
    assert quarters.run("expire").code == 1

    quarters.at(NOON + QUARTER)

    assert quarters.run("expire").code == 0


def test_more_than_a_hundred_go_only_when_told_and_by_lists_of_a_hundred(world: World) -> None:
    world.start(
        policies={"short": {"frequent": 4}}, datasets={HOME: {"policy": "short"}}, repositories={}
    )
    world.past(HOME, moments(254))
    world.at(NOON)

    refused = world.run("expire")
    assert refused.code == 1
    assert "250 of 254 snapshots would go at once" in refused.err
    assert destroyed(world) == []

    done = world.run("expire", "--many")
    assert done.code == 0, done.err
    assert [len(argv[-1].split(",")) for argv in destroyed(world)] == [100, 100, 50]
    assert world.snapshots(HOME) == names(4)


def test_a_thousand_of_two_thousand_go_in_few_commands(world: World) -> None:
    world.start(
        policies={"much": {"frequent": 1000}}, datasets={HOME: {"policy": "much"}}, repositories={}
    )
    world.past(HOME, moments(2000))
    world.at(NOON)
    before = len(world.calls())

    assert world.run("expire", "--many").code == 0

    assert len(world.snapshots(HOME)) == 1000
    assert len(destroyed(world)) == 10
    assert len(world.calls()) - before <= 22  # two to look, and each list is read before it goes


def test_while_a_pool_is_degraded_one_list_goes_and_the_rest_waits(quarters: World) -> None:
    quarters.past(HOME, [NOON - timedelta(days=1, minutes=15 * n) for n in range(200)])
    quarters.faults.health("tank", "DEGRADED")

    done = quarters.run("expire", "--many")  # of 212: four, and the one that was taken last

    assert done.code == 0, done.err
    assert len(destroyed(quarters)) == 1
    assert "107 wait until the pool is whole" in done.out


def test_while_a_pool_is_resilvered_one_list_goes_and_the_rest_waits(quarters: World) -> None:
    quarters.past(HOME, [NOON - timedelta(days=1, minutes=15 * n) for n in range(200)])
    quarters.faults.resilver("tank")

    quarters.run("expire", "--many")

    assert len(destroyed(quarters)) == 1


@pytest.mark.parametrize("word", ["SUSPENDED", "FAULTED", "UNAVAIL"])
def test_of_a_pool_that_does_not_work_nothing_is_destroyed(quarters: World, word: str) -> None:
    quarters.faults.health("tank", word)

    done = quarters.run("expire", "--many", "--clock-is-right", deadline=20)

    assert done.code == 1
    assert f"pool tank is {word}" in done.err
    assert destroyed(quarters) == []


def test_a_pool_that_stops_between_two_lists_is_left_alone(quarters: World) -> None:
    quarters.past(HOME, [NOON - timedelta(days=1, minutes=15 * n) for n in range(200)])
    tool = quarters.root / "bin/zfs"
    real = tool.rename(tool.with_name("zfs.real"))
    state = quarters.root / "kstat/tank/state"
    tool.write_text(
        f'#!/bin/sh\n{real} "$@" || exit\n[ "$1" != destroy ] || echo SUSPENDED >{state}\n'
    )
    tool.chmod(0o755)

    done = quarters.run("expire", "--many", deadline=20)

    assert done.code == 1
    assert "SUSPENDED" in done.err
    assert len(destroyed(quarters)) == 1


def test_a_pool_that_is_missing_from_the_list_of_all_is_not_gone(quarters: World) -> None:
    quarters.faults.health("tank", "SUSPENDED")

    done = quarters.run("snapshot", deadline=20)

    assert "does not exist" not in done.err
    assert "emily_snapshot" not in " ".join(
        file.read_text() for file in (quarters.root / "metrics").glob("*tank*")
    )


def test_what_another_host_sends_is_kept_as_it_is_said_here(world: World) -> None:
    world.start(
        datasets={}, repositories={},
        receives={"ember": {"into": "vault/ember", "keep": {"daily": 3}}},
    )  # fmt: skip
    for name in ("vault/ember", "vault/ember/home"):
        if name not in world.zfs("list", "-H", "-o", "name").split():
            world.zfs("create", name)
    world.past("vault/ember/home", moments(9, timedelta(days=1)))
    world.at(NOON)

    done = world.run("expire")

    assert done.code == 0, done.err
    assert len(world.snapshots("vault/ember/home")) == 3
    figures = (world.root / "metrics/emily-snapshots-vault.prom").read_text()
    assert 'emily_received_newest_timestamp_seconds{sender="ember"} 1.7803152e+09' in figures


def test_openzfs_2_1_gives_the_same(tmp_path: Any) -> None:
    world = World(tmp_path, version="2.1.11").start(
        policies={"short": {"frequent": 4}}, datasets={HOME: {"policy": "short"}}, repositories={}
    )
    world.past(HOME, moments(12))
    world.at(NOON)
    world.zfs("hold", "keep", f"{HOME}@{names(12)[0]}")

    done = world.run("expire")

    assert done.code == 0, done.err
    assert world.snapshots(HOME) == [names(12)[0], *names(4)]
    world.close()


texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "%", "emily-20260101T000000Z%", "-r", "a,b", "emily-20260101T000000Z"]),
)


@given(texts, st.lists(texts, max_size=4))
def test_no_command_is_ever_made_that_destroys_more_than_it_names(
    dataset: str, some: list[str]
) -> None:
    try:
        argv = destroying(dataset, some)
    except ValueError:
        return
    assert argv[:2] == ("zfs", "destroy")
    assert len(argv) == 3
    assert argv[2].count("@") == 1
    assert not argv[2].startswith("-")
    assert "%" not in argv[2]
    assert all(name.startswith("emily-2") for name in argv[2].partition("@")[2].split(","))
