"""`backup prune`: old copies go, and nothing else."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emily_infra.backup import ledger
from emily_infra.backup.ledger import Ledger, Running
from emily_infra.backup.locks import locked
from emily_infra.backup.restic.program import Restic
from emily_infra.backup.shares import from_data
from emily_infra.backup.state import write
from tests.backup.restic.copies import copied, figure, ids, made, taken_over
from tests.backup.world import World

NOW = datetime(2026, 5, 20, 4, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("origin")).start()
    shed = made(world)
    days = [copied(shed, NOW - day * DAY, data=bytes([day]) * 1000) for day in range(3)]
    (world.root / "days").write_text("\n".join(days))
    yield world
    world.close()


@pytest.fixture
def days(origin: World) -> list[str]:
    """The three copies there are, the newest first."""
    return (origin.root / "days").read_text().split()


@pytest.fixture
def shed(world: World, origin: World) -> Restic:
    """Keeps two daily copies, and has three."""
    told = json.loads(world.config.read_text())
    told["repositories"]["shed"]["keep"] = {"daily": 2}
    world.config.write_text(json.dumps(told))
    world.at(NOW)
    return taken_over(world, origin)


def test_what_no_rule_keeps_goes(world: World, shed: Restic, days: list[str]) -> None:
    newest, second, third = days

    done = world.run("prune", "shed")

    assert (done.code, ids(shed)) == (0, {newest, second}), done.err
    assert "1 of 3 copies forgotten" in done.out
    assert "remaining:" in done.out
    assert third not in done.out
    series = "emily_prune_last_success_timestamp_seconds"
    assert figure(world, "prune", series) == NOW.timestamp()
    packs = Path(shed.repository.url, "data").rglob("*")
    size = sum(each.stat().st_size for each in packs if each.is_file())
    held = figure(world, "offsite", "emily_repository_bytes")
    assert held == pytest.approx(size, rel=0.2)  # packs have a head besides


def test_a_dry_run_says_why_each_stays_and_changes_nothing(
    world: World, shed: Restic, days: list[str]
) -> None:
    newest, second, third = days

    shown = world.run("prune", "shed", "--dry-run")
    data = json.loads(world.run("prune", "shed", "--dry-run", "--json").out)

    assert ids(shed) == {newest, second, third}
    assert "1 of 3 copies would go" in shown.out
    assert "daily snapshot" in shown.out
    assert [bool(each["reasons"]) for each in data["copies"]] == [True, True, False]


def test_other_hosts_and_jobs_are_never_touched(
    world: World, shed: Restic, days: list[str]
) -> None:
    others = {
        copied(shed, NOW - day * DAY, host=host, tags=tag)
        for day in (3, 4, 5)
        for host, tag in (("barn", shed.tag), ("box", "emily-other"))
    }

    assert world.run("prune", "shed").code == 0

    assert ids(shed) == {*days[:2], *others}


def refused(world: World, shed: Restic, words: str) -> None:
    before = ids(shed)

    done = world.run("prune", "shed")

    assert (done.code, "BKP037" in done.err, ids(shed)) == (1, True, before), done.err
    assert words in done.err


def test_a_mistyped_host_is_a_failure(world: World, shed: Restic) -> None:
    told = json.loads(world.config.read_text())
    world.config.write_text(json.dumps({**told, "host": "boks"}))

    refused(world, shed, "no copy of host boks")


def test_nothing_goes_while_the_newest_copy_is_not_complete(world: World, shed: Restic) -> None:
    copied(shed, NOW + timedelta(minutes=1), tags=f"{shed.tag},emily-partial")

    refused(world, shed, "is not complete")


def test_nothing_goes_once_copies_have_stopped(world: World, shed: Restic) -> None:
    world.later(hours=37)

    refused(world, shed, "copies have stopped")


def test_nothing_goes_for_a_copy_from_the_future(world: World, shed: Restic) -> None:
    copied(shed, NOW + 3000 * DAY)

    refused(world, shed, "still to come")


def test_nothing_goes_from_a_damaged_repository(world: World, shed: Restic) -> None:
    known = {"of": 4, "since": NOW.isoformat(), "read": {}, "damaged": {"2": []}}
    write(world.root / "state" / "repositories" / "shed-verify.json", known)

    refused(world, shed, "is damaged")


def test_an_append_only_repository_is_its_keepers(world: World, shed: Restic) -> None:
    told = json.loads(world.config.read_text())
    told["repositories"]["shed"]["append_only"] = True
    world.config.write_text(json.dumps(told))

    refused(world, shed, "append-only")


def test_a_repository_that_keeps_nothing_is_not_emptied(world: World, shed: Restic) -> None:
    told = json.loads(world.config.read_text())
    told["repositories"]["shed"]["keep"] = {}
    world.config.write_text(json.dumps(told))

    refused(world, shed, "nothing would stay")


def test_what_could_not_be_forgotten_is_an_error(world: World, shed: Restic) -> None:
    folder = Path(shed.repository.url) / "snapshots"
    liar = world.root / "bin" / "restic"
    liar.write_text(
        "#!/bin/sh\ncase \" $* \" in *' --dry-run '*) ;; *' forget '*) exit 0;; esac\n"
        f'PATH=${{PATH#{world.root}/bin:}} exec restic "$@"\n'
    )
    liar.chmod(0o755)

    done = world.run("prune", "shed")

    assert (done.code, "could not be forgotten" in done.err) == (1, True), done.err
    assert len(list(folder.iterdir())) == 3


def test_a_second_run_is_told_who_is_at_work(world: World) -> None:
    with locked(world.here(), "repository-shed", verb="offsite"):
        done = world.run("prune", "shed", "--wait", "0")

    assert (done.code, "offsite" in done.err) == (7, True)


def test_nothing_goes_while_nobody_said_whether_the_newest_copy_is_complete(
    world: World, shed: Restic
) -> None:
    running = Running(time=NOW, snapshots={}, began=NOW)
    ledger.save(world.here(), "shed", Ledger(running=running))

    refused(world, shed, "was killed before it said")


def test_a_damage_that_is_found_while_it_waits_stops_it(world: World, shed: Restic) -> None:
    before, lock = ids(shed), world.here().settings.paths.locks / "repository-shed"
    with locked(world.here(), "repository-shed", verb="verify"):
        waiting = world.begin("prune", "shed")
        while str(lock) not in opened(waiting.pid):
            assert waiting.poll() is None
        damaged = from_data(None, shed.repository.verify.subsets, NOW).broken(1, ("ab" * 32,))
        write(world.root / "state/repositories/shed-verify.json", damaged.as_data())

    _, err = waiting.communicate()

    assert (waiting.returncode, ids(shed)) == (1, before)
    assert b"is damaged" in err


def opened(pid: int) -> list[str]:
    """The files that a process has open."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(os.readlink(each))
    return found
