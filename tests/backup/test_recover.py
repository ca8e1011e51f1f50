"""An empty machine gets its data back from a repository, and nothing else is written over."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.backup.world import Done, World
from tests.hosts import ROOT

HOME, PHOTOS, DB = "tank/home", "tank/home/photos", "tank/db"
PASSWORD = "secrets/restic"


def copy(world: World, *, host: str = "box", time: str = "2026-11-20 02:00:00") -> None:
    """As an offsite run leaves it: every dataset at its stable place, under one host and tag."""
    stable = world.root / "run" / "snapshot" / str(world.root / "srv").lstrip("/")
    stable.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(world.root / "srv", stable, symlinks=True)
    for dataset in (HOME, PHOTOS, DB):
        place = stable / world.mountpoint(dataset).relative_to(world.root / "srv")
        shutil.copystat(world.mountpoint(dataset), place)
    if not (world.root / "repositories" / "shed").exists():
        restic(world, "init")
    words = ("--host", host, "--tag", "emily-shed", "--time", time)
    restic(world, "backup", *words, str(stable / "home"), str(stable / "db"))
    shutil.rmtree(stable)


def restic(world: World, *words: str) -> str:
    password = str(world.root / PASSWORD)
    world.environment |= {"RESTIC_REPOSITORY": str(world.root / "repositories" / "shed"),
                          "RESTIC_PASSWORD_FILE": password}  # fmt: skip
    done = world.program("restic", *words)
    for name in ("RESTIC_REPOSITORY", "RESTIC_PASSWORD_FILE"):
        del world.environment[name]
    assert done.code == 0, done.err
    return done.out


def lose(world: World) -> None:
    """Every dataset is empty, as an installation leaves it."""
    kept = {world.mountpoint(each) for each in (HOME, PHOTOS, DB)}
    for dataset in (HOME, DB):
        for entry in sorted(world.mountpoint(dataset).rglob("*"), reverse=True):
            if entry in kept:
                continue
            entry.rmdir() if entry.is_dir() else entry.unlink()
        world.mountpoint(dataset).chmod(0o755)


def recover(world: World, *words: str, password: str = PASSWORD) -> Done:
    return world.run("recover", "box", "--password-file", str(world.root / password), *words)


@pytest.fixture
def lost(world: World) -> World:
    """A host that had files in all of its datasets, was copied, and lost them."""
    world.write(HOME, "letter", b"dear\n")
    world.write(HOME, "many/deep/file", b"x" * 300_000)
    world.write(PHOTOS, "cat", os.urandom(200_000))
    world.write(DB, "ledger.dump", b"select")
    os.setxattr(world.mountpoint(HOME), "user.note", b"mine")
    world.mountpoint(HOME).chmod(0o2750)
    copy(world)
    os.removexattr(world.mountpoint(HOME), "user.note")
    lose(world)
    return world


def test_every_dataset_comes_back_with_all_it_has(lost: World) -> None:
    done = recover(lost)

    assert done.code == 0, done.err
    assert (lost.mountpoint(HOME) / "letter").read_bytes() == b"dear\n"
    assert (lost.mountpoint(PHOTOS) / "cat").stat().st_size == 200_000
    assert (lost.mountpoint(DB) / "ledger.dump").read_bytes() == b"select"
    assert lost.mountpoint(HOME).stat().st_mode & 0o7777 == 0o2750
    assert os.getxattr(lost.mountpoint(HOME), "user.note") == b"mine"
    assert [len(lost.snapshots(each)) for each in (HOME, PHOTOS, DB)] == [1, 1, 1]


def test_what_is_left_to_do_by_hand_is_told(lost: World) -> None:
    done = recover(lost)

    assert "tank/scratch stays empty: nothing in it is worth a copy" in done.out
    assert "emily-infra backup offsite shed" in done.out


def test_a_dry_run_shows_everything_and_writes_nothing(lost: World) -> None:
    done = recover(lost, "--dry-run")

    assert done.code == 0, done.err
    assert "of 2026-11-20 02:00:00Z" in done.out
    assert not list(lost.mountpoint(DB).iterdir())
    assert not lost.calls("zfs", "set")


def test_run_again_nothing_is_restored_twice(lost: World) -> None:
    recover(lost)
    (lost.mountpoint(HOME) / "letter").write_bytes(b"changed since\n")

    done = recover(lost)

    assert done.code == 0, done.err
    assert (lost.mountpoint(HOME) / "letter").read_bytes() == b"changed since\n"


@pytest.mark.parametrize("dataset", [HOME, PHOTOS, DB])
def test_a_foreign_file_stops_it_before_the_first_byte(lost: World, dataset: str) -> None:
    lost.write(dataset, "found/on/a/disk", b"the only one")

    done = recover(lost)

    assert done.code == 1
    assert "BKP090" in done.err
    assert f"{dataset} is not empty" in done.err
    assert not (lost.mountpoint(HOME) / "letter").exists()
    assert not lost.calls("zfs", "set")


def test_a_dataset_that_is_not_mounted_stops_it(lost: World) -> None:
    lost.zfs("unmount", DB)

    done = recover(lost)

    assert (done.code, "BKP091" in done.err) == (1, True)


def test_a_wrong_password_is_said_and_changes_nothing(lost: World) -> None:
    (lost.root / "secrets" / "wrong").write_text("12345\n")

    done = recover(lost, password="secrets/wrong")

    assert (done.code, "BKP033" in done.err) == (1, True)
    assert "does not open with this password" in done.err
    assert not list(lost.mountpoint(DB).iterdir())


def test_without_a_password_it_says_how_to_give_one(lost: World) -> None:
    (lost.root / PASSWORD).unlink()

    done = lost.run("recover", "box")

    assert done.code == 1
    assert "--password-file" in done.err


def test_of_a_repository_of_two_hosts_only_its_own_copies_count(lost: World) -> None:
    lost.write(HOME, "letter", b"of another host")
    copy(lost, host="other", time="2026-11-21 02:00:00")
    lose(lost)

    recover(lost)

    assert (lost.mountpoint(HOME) / "letter").read_bytes() == b"dear\n"


def test_one_moment_may_be_asked_for(lost: World) -> None:
    lost.write(HOME, "letter", b"newer")
    copy(lost, time="2026-11-21 02:00:00")
    lose(lost)

    done = recover(lost, "--at", "2026-11-20T12:00")

    assert done.code == 0, done.err
    assert (lost.mountpoint(HOME) / "letter").read_bytes() == b"dear\n"


def test_a_copy_that_lacks_files_is_passed_over_with_a_word(lost: World) -> None:
    lost.write(HOME, "letter", b"newer")
    copy(lost, time="2026-11-21 02:00:00")
    lose(lost)
    newest = json.loads(restic(lost, "snapshots", "--json", "latest"))[0]["id"]
    restic(lost, "tag", "--add", "emily-partial", newest)

    done = recover(lost)

    assert "a newer one of 2026-11-21 02:00:00Z lacks files" in done.out
    assert (lost.mountpoint(HOME) / "letter").read_bytes() == b"dear\n"


def test_half_of_the_datasets_may_be_exempt(lost: World) -> None:
    lost.start(
        datasets={
            HOME: {"exempt": "on paper"},
            PHOTOS: {"policy": "daily", "repositories": ["shed"]},
            DB: {"policy": "daily", "repositories": ["shed"]},
            "tank/scratch": {"exempt": "nothing"},
        }
    )

    done = recover(lost)

    assert done.code == 0, done.err
    assert [each.name for each in lost.mountpoint(HOME).iterdir()] == ["photos"]
    assert (lost.mountpoint(PHOTOS) / "cat").exists()


def test_a_name_full_of_wildcards_is_one_name(world: World) -> None:
    odd = "tank/odd"
    place = str(world.root / "srv" / "o[d]d*")
    world.start(datasets={odd: {"mountpoint": place, "policy": "daily", "repositories": ["shed"]}})
    Path(place, "file").write_bytes(b"here")
    stable = world.root / "run" / "snapshot" / place.lstrip("/")
    shutil.copytree(place, stable)
    restic(world, "init")
    restic(world, "backup", "--host", "box", "--tag", "emily-shed", str(stable.parent))
    Path(place, "file").unlink()

    done = recover(world)

    assert done.code == 0, done.err
    assert Path(place, "file").read_bytes() == b"here"


@pytest.mark.parametrize(
    ("program", "words", "number"),
    [
        ("zfs", ("set",), 1), ("zfs", ("set",), 2), ("zfs", ("set",), 4), ("zfs", ("snapshot",), 1),
        ("restic", ("restore",), 1), ("restic", ("restore",), 3), ("restic", ("dump",), 2),
    ],
)  # fmt: skip
def test_killed_anywhere_it_goes_on(
    lost: World, program: str, words: tuple[str, ...], number: int
) -> None:
    lost.watch("restic")
    lost.faults.kill(program, *words, number=number)
    process = lost.begin("recover", "box", "--password-file", str(lost.root / PASSWORD))
    assert process.wait(60) < 0
    lost.faults.clear()

    done = recover(lost)

    assert done.code == 0, done.err
    assert (lost.mountpoint(HOME) / "many/deep/file").read_bytes() == b"x" * 300_000
    assert (lost.mountpoint(DB) / "ledger.dump").read_bytes() == b"select"
    assert (lost.mountpoint(PHOTOS) / "cat").stat().st_size == 200_000


def test_a_file_that_was_cut_by_a_kill_is_mended(lost: World) -> None:
    recover(lost)
    lost.zfs("set", "org.emily-infra:recovery=begun " + mark(lost, HOME), HOME)
    (lost.mountpoint(HOME) / "many/deep/file").write_bytes(b"x" * 100 + b"\0" * 299_900)

    done = recover(lost, "--go-on")

    assert done.code == 0, done.err
    assert (lost.mountpoint(HOME) / "many/deep/file").read_bytes() == b"x" * 300_000


def test_what_was_written_since_it_was_begun_is_not_written_over(lost: World) -> None:
    recover(lost)
    lost.zfs("set", "org.emily-infra:recovery=begun " + mark(lost, HOME), HOME)
    (lost.mountpoint(HOME) / "letter").write_bytes(b"of the week after\n")
    lost.later(hours=1)
    lost.take(HOME)

    done = recover(lost)
    others = recover(lost, "--dataset", DB)

    assert (done.code, "BKP094" in done.err, "--go-on" in done.err) == (1, True, True)
    assert (lost.mountpoint(HOME) / "letter").read_bytes() == b"of the week after\n"
    assert others.code == 0, others.err


def test_snapshots_from_before_it_was_begun_do_not_stop_it(lost: World) -> None:
    lost.take(HOME)
    lost.faults.kill("restic", "restore", number=1)
    lost.watch("restic")
    lost.begin("recover", "box", "--password-file", str(lost.root / PASSWORD)).wait(60)
    lost.faults.clear()

    done = recover(lost)

    assert done.code == 0, done.err
    assert (lost.mountpoint(HOME) / "letter").read_bytes() == b"dear\n"


def mark(world: World, dataset: str) -> str:
    """What stands behind the first word of a dataset's mark."""
    shown = world.zfs("get", "-H", "-o", "value", "org.emily-infra:recovery", dataset)
    return shown.strip().partition(" ")[2]


def test_the_next_copy_adds_next_to_nothing(lost: World) -> None:
    recover(lost)
    before = subprocess.check_output(["du", "-sb", lost.root / "repositories"]).split()[0]

    copy(lost, time="2026-11-22 02:00:00")

    after = subprocess.check_output(["du", "-sb", lost.root / "repositories"]).split()[0]
    assert int(after) - int(before) < 20_000


def test_the_host_is_known_from_its_host_yaml() -> None:
    command = ("emily-infra", "backup", "recover", "pebble", "--repository", "attic")

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 1
    assert "this host has no repository attic" in done.stderr
    assert "its names: shed" in done.stderr


def test_where_every_copy_lacks_files_that_is_said(lost: World) -> None:
    restic(lost, "tag", "--add", "emily-partial", "latest")

    done = recover(lost)

    assert done.code == 3, done.err
    assert "it lacks files that could not be read" in done.out
