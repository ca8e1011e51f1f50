"""`backup status` says what is so, whatever else does not answer."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from emily_infra.backup.evidence import Finding, Verdict, append
from emily_infra.backup.ledger import Copy, Taken, load, path, save
from emily_infra.backup.locks import locked
from emily_infra.backup.replication.memory import Memory
from tests.backup.test_way_back import REPLICA
from tests.backup.world import World

HOME = "tank/home"


def status(world: World) -> dict[str, Any]:
    done = world.run("status", "--json")
    assert done.code in (0, 3), done.err
    answer: dict[str, Any] = json.loads(done.out)
    return answer


def test_a_host_that_did_nothing_yet_has_kept_no_promise(world: World) -> None:
    done = world.run("status")

    assert done.code == 3
    assert "snapshots of tank/db, tank/home, tank/home/photos: never" in done.out
    assert "$ journalctl --unit emily-snapshot" in done.out
    assert "none: nothing in it is worth a copy" in done.out


def test_snapshots_are_told_by_their_age(world: World) -> None:
    world.take(HOME, "tank/home/photos", "tank/db")
    world.later(minutes=20)

    told = status(world)

    assert not [each for each in told["broken"] if "snapshots" in each["what"]]
    assert [each["snapshot"]["kept"] for each in told["datasets"] if each["snapshot"]] == [True] * 3


def test_who_holds_a_snapshot_is_told(world: World) -> None:
    name = world.take(HOME)
    world.zfs("hold", "keep-for-the-lawyers", f"{HOME}@{name}")

    done = world.run("status")

    assert f"{HOME}@{name}" in done.out
    assert "keep-for-the-lawyers" in done.out


@pytest.mark.parametrize("columns", ["80", "160"])
def test_no_line_is_wider_than_the_terminal(world: World, columns: str) -> None:
    world.environment["COLUMNS"] = columns

    lines = world.run("status").out.splitlines()

    assert max(map(len, lines)) <= int(columns)


def test_a_suspended_pool_is_said_and_hides_nothing_else(world: World) -> None:
    world.faults.health("tank", "SUSPENDED")

    done = world.run("status", deadline=20)

    assert done.code == 3
    assert "! a pool cannot be asked: " in done.out
    assert "pool tank is SUSPENDED" in done.out
    assert "none: nothing in it is worth a copy" in done.out


def copied(world: World, moment: datetime, **more: Any) -> None:
    """As if an offsite run had ended, with a copy of all datasets."""
    here = world.here()
    taken = Taken(name=moment.strftime("emily-%Y%m%dT%H%M%SZ"), guid=1, creation=moment)
    snapshots = dict.fromkeys(here.settings.copied_to("shed"), taken)
    facts = {"id": "a" * 64, "time": moment, "ended": moment, "verdict": "good", **more}
    save(here, "shed", load(here, "shed").having(Copy(snapshots=snapshots, **facts)))


def test_the_recovery_point_is_told_from_the_ledger(world: World) -> None:
    copied(world, world.now() - timedelta(hours=3))

    told = status(world)

    assert [each["recovery_point"]["kept"] for each in told["datasets"][:3]] == [True] * 3
    assert not [each for each in told["broken"] if "copies" in each["what"]]


def test_a_copy_that_lacks_files_is_no_recovery_point(world: World) -> None:
    copied(world, world.now() - timedelta(hours=30))
    copied(world, world.now(), id="b" * 64, verdict="partial", unreadable=2)

    done = world.run("status")

    assert "copies of tank/db, tank/home, tank/home/photos: 30 h ago, promised" in done.out
    assert "lacks 2 files that could not be read" in done.out


@pytest.mark.parametrize("content", [b"", b"{", b'{"copies": 7}'])
def test_a_damaged_ledger_stops_no_status(world: World, content: bytes) -> None:
    file = path(world.here(), "shed")
    file.parent.mkdir(parents=True)
    file.write_bytes(content)

    done = world.run("status")

    assert done.code == 3
    assert "repository shed: copies of" in done.out


def drilled(world: World, verdict: Verdict, **more: Any) -> None:
    """As if a drill of one dataset had ended."""
    facts = {"by": "emily-drill", "repository": "shed", "dataset": HOME, **more}
    key = world.root / "host_key"
    if not key.exists():
        world.program("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    append(world.here(), Finding(verdict=verdict, **facts), key)


def test_the_recovery_time_is_what_a_drill_took(world: World) -> None:
    world.write(HOME, "file", b"x" * 4096)
    drilled(world, Verdict.SAME, bytes=2_000_000_000, seconds=30)

    told = status(world)

    home = next(each for each in told["datasets"] if each["dataset"] == HOME)
    assert told["places"][0]["drill"]["seconds_per_gb"] == 15
    assert home["recovery_seconds"] == pytest.approx(home["size"] * 15 / 1e9)


def test_a_drill_that_differs_is_a_broken_promise_until_one_passes(world: World) -> None:
    world.start(drill={"period": 604800})
    drilled(world, Verdict.DIFFERS)

    assert "repository shed: drill" in [each["what"] for each in status(world)["broken"]]

    drilled(world, Verdict.SAME)

    assert "repository shed: drill" not in [each["what"] for each in status(world)["broken"]]


def test_of_a_pool_that_stands_still_the_last_figures_are_told(world: World) -> None:
    world.run("snapshot")
    world.faults.stuck("tank")

    told = status(world)

    assert "is stuck" in told["broken"][0]["why"]
    assert [each["snapshot"]["kept"] for each in told["datasets"] if each["snapshot"]] == [True] * 3


def test_a_replica_is_told_by_what_is_there(world: World) -> None:
    world.start(
        datasets={HOME: {"policy": "daily", "replicas": ["barn"]}},
        replicas={"barn": REPLICA},
        repositories={},
    )
    here = world.here()
    memory = Memory(here, "barn")
    memory.of(HOME).newest = here.now().timestamp() - 3600
    memory.store([HOME])

    [home] = status(world)["datasets"]

    assert home["recovery_point"]["kept"]
    assert home["recovery_point"]["promised_seconds"] == 26 * 3600


def test_a_run_that_is_at_work_is_told(world: World) -> None:
    with locked(world.here(), "repository-shed", verb="offsite"):
        done = world.run("status")

    assert "at work: offsite on repository-shed, process" in done.out


def test_where_expiring_stopped_a_person_is_told(world: World) -> None:
    world.run("snapshot")
    world.later(days=400)
    world.run("snapshot")

    told = [each for each in status(world)["broken"] if "expiring" in each["what"]]

    assert [each["what"] for each in told] == ["expiring of tank/db, tank/home, tank/home/photos"]
    assert told[0]["why"].startswith("stopped: ")
    assert told[0]["look"] == ["emily-infra", "backup", "expire", "--dry-run"]
