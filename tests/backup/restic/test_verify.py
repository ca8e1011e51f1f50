"""`backup verify`: what is stored is read back."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emily_infra.backup.restic.program import Restic
from emily_infra.backup.verify import remembered
from tests.backup.restic.copies import copied, figure, made, taken_over
from tests.backup.world import Done, World

NOW = datetime(2026, 5, 20, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("origin")).start()
    copied(made(world), NOW, data=os.urandom(2_000_000))
    yield world
    world.close()


@pytest.fixture
def shed(world: World, origin: World) -> Restic:
    world.at(NOW)
    return taken_over(world, origin)


def packs(restic: Restic) -> list[Path]:
    found = [path for path in (Path(restic.repository.url) / "data").rglob("*") if path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_size)


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[500] ^= 1
    file.chmod(0o600)
    file.write_bytes(data)


@pytest.mark.usefixtures("shed")
def test_each_run_reads_the_next_share(world: World) -> None:
    first = json.loads(world.run("verify", "shed", "--json").out)
    world.later(days=1)
    second = world.run("verify", "shed")

    assert (first["shares"], first["of"]) == ([1], 4)
    assert "share 2/4 read" in second.out
    succeeded = figure(world, "verify", "emily_verify_last_success_timestamp_seconds")
    assert succeeded == (NOW + timedelta(days=1)).timestamp()
    assert figure(world, "verify", "emily_verify_errors") == 0


@pytest.mark.usefixtures("shed")
def test_after_missed_runs_a_second_share_is_read(world: World) -> None:
    world.run("verify", "shed")
    world.later(days=10)

    late = json.loads(world.run("verify", "shed", "--json").out)

    assert late["shares"] == [2, 3]


def test_a_flipped_byte_is_found_in_as_many_runs_as_there_are_shares(
    world: World, shed: Restic
) -> None:
    damaged = packs(shed)[-1]
    flip(damaged)

    runs: list[Done] = []
    while len(runs) < 4 and not (runs and runs[-1].code):
        runs.append(world.run("verify", "shed"))

    assert runs[-1].code == 4
    for words in (damaged.name[:10], "source/file", "reading it again", "repair packs"):
        assert words in runs[-1].err
    assert figure(world, "verify", "emily_verify_errors") == 1


def test_a_damaged_share_is_read_again_until_it_is_repaired(world: World, shed: Restic) -> None:
    damaged = packs(shed)[-1]
    whole = damaged.read_bytes()
    flip(damaged)
    while world.run("verify", "shed").code == 0:
        pass
    (share,) = remembered(world.here(), "shed").damaged

    damaged.write_bytes(whole)
    mended = json.loads(world.run("verify", "shed", "--json").out)

    assert mended["shares"][0] == share
    assert not remembered(world.here(), "shed").damaged


def test_a_share_that_stays_damaged_does_not_keep_another_from_being_read(
    world: World, shed: Restic
) -> None:
    flip(packs(shed)[-1])
    while world.run("verify", "shed").code == 0:
        pass
    before = remembered(world.here(), "shed").read
    world.later(days=1)

    done = world.run("verify", "shed")

    after = remembered(world.here(), "shed").read
    assert done.code == 4
    assert [share for share in after if after[share] != before.get(share)]


def test_a_deleted_pack_is_found_at_once(world: World, shed: Restic) -> None:
    gone = packs(shed)[-1]
    gone.unlink()

    done = world.run("verify", "shed")

    assert done.code == 4
    assert gone.name[:10] in done.err


@pytest.mark.usefixtures("shed")
def test_what_cannot_be_read_at_all_is_no_damage(world: World) -> None:
    (world.root / "secrets" / "restic").write_text("wrong\n")

    done = world.run("verify", "shed")

    assert (done.code, "BKP033" in done.err) == (1, True)
    assert not remembered(world.here(), "shed").damaged


def test_what_a_killed_check_left_in_the_cache_goes(world: World, shed: Restic) -> None:
    left = shed.cache / "restic-check-cache-123"
    left.mkdir(parents=True)

    assert world.run("verify", "shed").code == 0

    assert not left.exists()
