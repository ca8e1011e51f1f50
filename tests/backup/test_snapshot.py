"""Taking: all of a pool at one instant, once in a period, whatever comes in between."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.backup.world import World

HOME, PHOTOS, DB = "tank/home", "tank/home/photos", "tank/db"
TAKES = "org.emily-infra:policy=policy"
"""A word that only the command has which takes what is due."""
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def figures(world: World, pool: str = "tank") -> str:
    return (world.root / f"metrics/emily-snapshots-{pool}.prom").read_text()


def test_all_datasets_of_a_pool_are_taken_at_one_instant(world: World) -> None:
    world.at(NOON)

    done = world.run("snapshot")

    assert done.code == 0, done.err
    assert "tank: 3 taken as emily-20260601T120000Z" in done.out
    assert len(world.calls("zfs", TAKES)) == 1
    listed = world.zfs("list", "-Hp", "-t", "snapshot", "-o", "createtxg").split()
    assert (len(listed), len(set(listed))) == (3, 1)
    assert world.snapshots("tank/scratch") == []


def test_a_period_gets_one_snapshot_and_the_next_period_the_next(world: World) -> None:
    for minutes in (0, 5, 14, 15, 29, 30):
        world.at(NOON + timedelta(minutes=minutes))
        assert world.run("snapshot").code == 0

    assert world.snapshots(HOME) == [
        "emily-20260601T120000Z", "emily-20260601T121500Z", "emily-20260601T123000Z",
    ]  # fmt: skip


def test_a_dataset_whose_policy_is_not_due_is_left_out(world: World) -> None:
    world.start(
        policies={"often": {"hourly": 4}, "seldom": {"daily": 4}},
        datasets={HOME: {"policy": "often"}, DB: {"policy": "seldom"}},
        repositories={},
    )
    world.at(NOON)
    world.run("snapshot")

    world.later(hours=1)
    done = world.run("snapshot")

    assert "tank: 1 taken" in done.out
    assert (len(world.snapshots(HOME)), len(world.snapshots(DB))) == (2, 1)


def test_before_an_apply_everything_is_taken_and_nothing_goes(world: World) -> None:
    world.past(HOME, [NOON - timedelta(hours=n) for n in range(60, 0, -1)])
    world.at(NOON)
    world.run("snapshot")
    left = len(world.snapshots(HOME))

    world.later(minutes=1)
    done = world.run("snapshot", "--reason", "apply")

    assert done.code == 0, done.err
    assert len(world.snapshots(HOME)) == left + 1
    marked = world.zfs(
        "get", "-Hp", "-o", "value", "org.emily-infra:policy", f"{HOME}@{world.snapshots(HOME)[-1]}"
    )
    assert marked.strip() == "apply"
    looked = [argv for argv in world.calls("zfs", "-d") if "creation" in argv[-2]]
    assert len(looked) == 3  # by the first run alone: a deploy does not wait for lists


def test_of_two_in_one_second_the_later_is_called_after_the_next(world: World) -> None:
    world.at(NOON)
    world.run("snapshot")

    done = world.run("snapshot", "--reason", "apply")

    assert done.code == 0, done.err
    assert world.snapshots(HOME) == ["emily-20260601T120000Z", "emily-20260601T120001Z"]


def test_a_name_that_others_took_in_between_is_passed_over(world: World) -> None:
    world.at(NOON)
    world.faults.fail(
        "zfs", TAKES, text=f"cannot create snapshot '{HOME}@x': dataset already exists"
    )

    done = world.run("snapshot")

    assert done.code == 0, done.err
    assert world.snapshots(HOME) == ["emily-20260601T120001Z"]


def test_a_dataset_destroyed_in_between_is_left_out_and_the_others_are_taken(world: World) -> None:
    world.faults.vanish(DB, "zfs", TAKES)

    done = world.run("snapshot")

    assert "tank: 2 taken" in done.out
    assert len(world.snapshots(HOME)) == len(world.snapshots(PHOTOS)) == 1


def test_a_dataset_that_is_promised_and_not_there_is_an_error_beside_the_others(
    world: World,
) -> None:
    world.zfs("destroy", DB)

    done = world.run("snapshot")

    assert done.code == 1
    assert "BKP011: tank/db does not exist" in done.err
    assert len(world.snapshots(HOME)) == 1


def test_a_dataset_made_in_between_waits_for_the_next_run(world: World) -> None:
    world.run("snapshot")
    world.zfs("create", "tank/new")

    assert world.run("snapshot").code == 0
    assert world.snapshots("tank/new") == []


def test_a_full_pool_gives_up_old_snapshots_first_and_then_takes_the_new_one(
    world: World,
) -> None:
    world.past(HOME, [NOON - timedelta(minutes=15 * n) for n in range(11, 0, -1)])
    world.at(NOON)
    world.faults.full("tank")

    done = world.run("snapshot")

    assert "nearly full" in done.err
    order = [argv[0] for argv in world.calls() if argv[0] in ("destroy", "snapshot")]
    assert order[0] == "destroy"
    assert order[-1] == "snapshot"
    assert done.code == 1  # this world stays full
    assert "BKP011" in done.err
    assert "out of space" in done.err


def test_a_suspended_pool_fails_in_time_and_the_others_are_served(world: World) -> None:
    world.start(
        datasets={HOME: {"policy": "daily"}, "vault/mail": {"policy": "daily"}}, repositories={}
    )
    world.faults.health("tank", "SUSPENDED")

    done = world.run("snapshot", deadline=20)

    assert done.code == 1
    assert "BKP010: pool tank is SUSPENDED" in done.err
    assert len(world.snapshots("vault/mail")) == 1
    assert not world.calls("zfs", "tank")


def test_a_pool_that_hangs_though_it_is_called_online_is_not_touched(world: World) -> None:
    world.faults.stuck("tank")

    done = world.run("snapshot", deadline=20)

    assert done.code == 1
    assert "is stuck, whatever its health says" in done.err
    assert world.calls() == []


def test_a_degraded_pool_still_takes_snapshots(world: World) -> None:
    world.faults.health("tank", "DEGRADED")

    assert world.run("snapshot").code == 0
    assert len(world.snapshots(HOME)) == 1


def test_the_second_of_two_runs_is_told_who_is_at_work(world: World) -> None:
    world.faults.slow("zfs", TAKES, seconds=3)
    first = world.begin("snapshot")
    while not world.calls("zfs", TAKES):
        assert first.poll() is None

    second = world.run("snapshot", "--wait", "0")

    assert second.code == 7
    assert f"snapshot (process {first.pid}" in second.err
    assert first.wait(60) == 0
    first.communicate()
    assert len(world.snapshots(HOME)) == 1


def test_a_second_run_that_waits_takes_no_second_snapshot(world: World) -> None:
    world.at(NOON)
    world.faults.slow("zfs", TAKES, seconds=1, number=1)
    first, second = world.begin("snapshot"), world.begin("snapshot")

    assert (first.wait(60), second.wait(60)) == (0, 0)

    first.communicate()
    second.communicate()
    assert len(world.snapshots(HOME)) == 1


def test_the_figures_say_how_many_there_are_and_when_the_newest_was_taken(world: World) -> None:
    world.at(NOON)

    world.run("snapshot")

    assert f'emily_snapshot_count{{dataset="{HOME}"}} 1.0' in figures(world)
    newest = f'emily_snapshot_newest_timestamp_seconds{{dataset="{HOME}"}} 1.7803152e+09'
    assert newest in figures(world)


def test_a_clock_that_went_back_is_no_reason_to_take_none(world: World) -> None:
    world.at(NOON)
    world.run("snapshot")

    world.at(NOON - timedelta(days=3000))
    done = world.run("snapshot")

    assert len(world.snapshots(HOME)) == 2
    assert "BKP012" in done.err
    assert 'reason="clock"' in figures(world)


def test_what_a_wrong_clock_dated_back_is_as_old_as_the_clock_once_was(world: World) -> None:
    world.at(NOON)
    world.run("snapshot")
    world.at(NOON - timedelta(days=3000))
    world.run("snapshot")
    world.at(NOON + timedelta(minutes=15))
    world.run("snapshot")

    told = json.loads(world.run("expire", "--dry-run", "--json").out)

    kept = next(each for each in told[0]["datasets"] if each["dataset"] == HOME)["kept"]
    assert [each["created"][:4] for each in kept] == ["2026", "2018", "2026"]
    assert "frequent" in kept[1]["reasons"]  # as if taken at noon, after the first
    assert "frequent" not in kept[0]["reasons"]


# --- units that make data consistent


def quiesced(world: World, **hook: object) -> None:
    body = {"before": "dump.service", "after": "go-on.service", "datasets": [DB], "deadline": 5}
    world.start(quiesce={"ledger": {**body, **hook}})
    tool = world.root / "bin/systemctl"
    tool.write_text(f'#!/bin/sh\necho "$*" >> {world.root}/units\n')
    tool.chmod(0o755)


def units(world: World) -> list[str]:
    return (world.root / "units").read_text().splitlines()


def failing(world: World, unit: str, how: str = "exit 1") -> None:
    tool = world.root / "bin/systemctl"
    tool.write_text(tool.read_text() + f'case "$*" in "start {unit}") {how} ;; esac\n')


def test_a_unit_runs_before_the_snapshot_and_another_one_after_it(world: World) -> None:
    quiesced(world)

    done = world.run("snapshot")

    assert done.code == 0, done.err
    assert units(world) == ["start dump.service", "start go-on.service"]
    assert (
        'emily_quiesce_success{hook="ledger"} 1.0'
        in (world.root / "metrics/emily-quiesce-ledger.prom").read_text()
    )


def test_a_unit_runs_only_where_its_datasets_are_due(world: World) -> None:
    quiesced(world)
    world.at(NOON)
    world.run("snapshot")
    (world.root / "units").write_text("")

    world.run("snapshot")

    assert units(world) == []


@pytest.mark.parametrize(("required", "code", "count"), [(False, 3, 1), (True, 1, 0)])
def test_a_unit_that_fails_costs_a_warning_or_where_it_is_required_the_snapshot(
    world: World, *, required: bool, code: int, count: int
) -> None:
    quiesced(world, required=required)
    failing(world, "dump.service")

    done = world.run("snapshot")

    assert done.code == code
    assert "BKP013: ledger: dump.service did not end well" in done.err
    assert (len(world.snapshots(DB)), len(world.snapshots(HOME))) == (count, 1)
    assert units(world)[-1] == "start go-on.service"


def test_a_unit_that_does_not_end_is_stopped_at_its_deadline(world: World) -> None:
    quiesced(world, deadline=1)
    failing(world, "dump.service", "sleep 60")

    done = world.run("snapshot", deadline=30)

    assert done.code == 3
    assert units(world)[1:] == ["stop --no-block dump.service", "start go-on.service"]


def test_after_a_kill_the_next_run_lets_the_service_go_on_first(world: World) -> None:
    quiesced(world)
    world.faults.kill("zfs", TAKES)
    world.run("snapshot")
    assert units(world) == ["start dump.service"]

    done = world.run("snapshot")

    assert done.code == 0, done.err
    assert units(world)[1:] == ["start go-on.service", "start dump.service", "start go-on.service"]


def test_one_dataset_that_lacks_what_it_reserves_keeps_no_other_from_its_snapshot(
    world: World,
) -> None:
    world.at(NOON)
    full = f"cannot create snapshot '{DB}@emily-20260601T120000Z': out of space"
    world.faults.fail("zfs", TAKES, text=f"{full}\nno snapshots were created")

    done = world.run("snapshot")

    assert done.code == 1
    assert f"no snapshot of {DB}: pool tank is out of space" in done.err
    assert (len(world.snapshots(HOME)), world.snapshots(DB)) == (1, [])
