"""Drills: a copy counts once it was restored and found to be the same."""

import json
import os
import random
import shutil
import stat
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emily_infra.backup import ledger
from emily_infra.backup.drilling.candidates import candidates
from emily_infra.backup.drilling.drill import Plan, drill
from emily_infra.backup.drilling.room import rooms
from emily_infra.backup.evidence import folder, lines
from emily_infra.backup.locks import locked
from emily_infra.backup.restic.repository import contact
from tests.backup import kept
from tests.backup.test_evidence import make_key
from tests.backup.trees import plant
from tests.backup.world import Done, World, building

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FLIPPING = """#!/bin/sh
{real} "$@"; status=$?
while [ $# -gt 1 ]; do [ "$1" = --target ] && folder=$2; shift; done
[ -z "$folder" ] || [ -e {flipped} ] ||
  find "$folder" -name ledger -exec sh -c 'printf x >>"$1"; : >{flipped}' sh {{}} \\;
exit $status
"""


@pytest.fixture
def key(world: World) -> Path:
    return make_key(world.root / "host_key")


@pytest.fixture
def home(world: World) -> Path:
    """Awkward files, in a snapshot and in a copy of it."""
    home = world.mountpoint("tank/home")
    plant(home / "ada")
    for socket in home.rglob("socket"):
        socket.unlink()
    world.write("tank/db", "ledger", b"balance 1" * 1000)
    world.at(NOON)
    world.take("tank/home", "tank/home/photos", "tank/db")
    kept.made(world)
    kept.copy(world)
    return home


def drilled(world: World, key: Path, *words: str) -> tuple[Done, dict[str, dict[str, object]]]:
    done = world.run("drill", "--host-key", str(key), "--json", *words)
    return done, {each["dataset"]: each for each in json.loads(done.out or "[]")}


def untidy(world: World) -> list[str]:
    """What a drill left behind."""
    datasets = world.zfs("list", "-H", "-o", "name").split()
    held = [
        f"{dataset}@{name}"
        for dataset in ("tank/home", "tank/db", "tank/home/photos")
        for name in world.snapshots(dataset)
        if world.holds(f"{dataset}@{name}")
    ]
    cached = world.root / "cache" / "drill"
    return [
        *(name for name in datasets if "emily-" in name),
        *held,
        *(os.listdir(cached) if cached.exists() else []),
        *world.mounts_left(),
    ]


@pytest.mark.usefixtures("home")
def test_what_was_copied_comes_back_the_same_and_leaves_nothing(world: World, key: Path) -> None:
    done, found = drilled(world, key)

    assert done.code == 0, done.err + done.out
    assert {each["verdict"] for each in found.values()} == {"same"}
    assert found["tank/home"]["files"]
    assert found["tank/home"]["hash"]
    assert untidy(world) == []
    figures = (world.root / "metrics" / "emily-drill-shed.prom").read_text()
    assert 'emily_restore_test_success{repository="shed"} 1.0' in figures


@pytest.mark.usefixtures("home")
def test_a_seed_draws_the_same_files_again(world: World, key: Path) -> None:
    _, one = drilled(world, key, "--seed", "7")
    _, two = drilled(world, key, "--seed", "7")

    assert one["tank/home"]["hash"] == two["tank/home"]["hash"]
    evidence = [json.loads(line) for line in lines(world.here())]
    assert [each["seed"] for each in evidence] == [7] * 6
    assert world.run("evidence", "--key", f"{key}.pub").code == 0


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("words", [(), ("--full",)])
def test_a_tampered_file_differs(world: World, key: Path, words: tuple[str, ...]) -> None:
    snapshot = world.contents(f"tank/home@{world.snapshots('tank/home')[0]}")
    victim = snapshot / "ada" / "odd" / "plain"
    status = victim.stat()
    victim.write_bytes(b"content 1\n")
    os.utime(victim, ns=(status.st_atime_ns, status.st_mtime_ns))

    done, found = drilled(world, key, *words)

    assert done.code == 4, done.err
    assert found["tank/home"]["verdict"] == "differs"
    assert found["tank/home"]["differences"] == ["ada/odd/plain: content"]
    assert found["tank/db"]["verdict"] == "same"
    assert untidy(world) == []
    figures = (world.root / "metrics" / "emily-drill-shed.prom").read_text()
    assert 'emily_restore_test_success{repository="shed"} 0.0' in figures


@pytest.mark.usefixtures("home")
def test_a_first_reading_that_differs_is_on_record_though_a_second_does_not(
    world: World, key: Path
) -> None:
    real, flipped = shutil.which("restic", path=world.environment["PATH"]), world.root / "flipped"
    (world.root / "bin/restic").unlink(missing_ok=True)
    (world.root / "bin/restic").write_text(FLIPPING.format(real=real, flipped=flipped))
    (world.root / "bin/restic").chmod(0o755)

    done, found = drilled(world, key, "--full")

    assert done.code == 0, done.err + done.out
    assert found["tank/db"]["verdict"] == "same"
    assert "a first reading differed" in str(found["tank/db"]["why"])
    assert "test this machine's memory" in done.err


@pytest.mark.usefixtures("home")
def test_everything_can_be_drilled(world: World, key: Path) -> None:
    done, found = drilled(world, key, "--full")

    assert done.code == 0, done.err + done.out
    assert found["tank/home"]["whole"] is True
    assert int(str(found["tank/home"]["files"])) >= 18


@pytest.mark.usefixtures("home")
def test_a_whole_drill_waits_for_one_of_a_share(world: World, key: Path) -> None:
    with ExitStack() as running:
        running.enter_context(locked(world.here(), "drill-shed", verb="drill"))
        refused, _ = drilled(world, key)
        threading.Timer(2.0, running.pop_all().close).start()

        done, found = drilled(world, key, "--full")

    assert (refused.code, "is at work on it" in refused.err) == (7, True)
    assert done.code == 0, done.err
    assert found["tank/db"]["verdict"] == "same"


@pytest.mark.usefixtures("home")
def test_a_flipped_byte_in_the_repository_is_found(world: World, key: Path) -> None:
    packs = sorted((world.root / "repositories" / "shed" / "data").glob("*/*"))
    pack = max(packs, key=lambda each: each.stat().st_size)
    pack.chmod(0o600)
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)

    done, found = drilled(world, key, "--full")

    assert done.code == 4, done.err + done.out
    assert "differs" in {each["verdict"] for each in found.values()}
    assert untidy(world) == []


@pytest.mark.usefixtures("home")
def test_a_missing_restic_is_no_verdict_on_the_copy(world: World, key: Path) -> None:
    building.install(world.root, "restic", "#!/bin/sh\nexit 127\n")

    done, found = drilled(world, key)

    assert done.code == 1
    assert {each["verdict"] for each in found.values()} == {"could not run"}
    assert world.run("evidence", "--key", f"{key}.pub").code == 0


@pytest.mark.usefixtures("home")
def test_one_dataset_that_cannot_be_drilled_keeps_no_other_from_it(world: World, key: Path) -> None:
    world.zfs("destroy", f"tank/db@{world.snapshots('tank/db')[0]}")

    done, found = drilled(world, key)

    assert done.code == 1
    assert found["tank/db"]["verdict"] == "could not run"
    assert "snapshot still here" in str(found["tank/db"]["why"])
    assert found["tank/home"]["verdict"] == "same"


@pytest.mark.usefixtures("home")
def test_the_newest_copy_whose_snapshot_is_still_here_is_taken(world: World, key: Path) -> None:
    world.write("tank/home", "new", b"1")
    world.later(days=1)
    gone = world.take("tank/home", "tank/home/photos", "tank/db")
    kept.copy(world)
    world.zfs("destroy", f"tank/home@{gone}")

    _, found = drilled(world, key)

    assert found["tank/home"]["snapshot"] == f"tank/home@{world.snapshots('tank/home')[0]}"
    assert found["tank/db"]["snapshot"] == f"tank/db@{gone}"
    assert {each["verdict"] for each in found.values()} == {"same"}


@pytest.mark.usefixtures("home")
def test_a_lost_memory_of_copies_is_made_up_for(world: World, key: Path) -> None:
    (world.root / "state" / "backup" / "shed.json").unlink()

    _, found = drilled(world, key)

    assert {each["verdict"] for each in found.values()} == {"same"}


@pytest.mark.usefixtures("home")
def test_a_full_pool_is_drilled_in_the_cache(world: World, key: Path) -> None:
    world.faults.full("tank")

    done, found = drilled(world, key)

    assert done.code == 0, done.err + done.out
    assert found["tank/home"]["verdict"] == "same"
    assert untidy(world) == []


def verdict(world: World) -> str:
    figures = (world.root / "metrics" / "emily-drill-shed.prom").read_text()
    return next((line[-3:] for line in figures.splitlines() if "test_success{" in line), "none")


@pytest.mark.usefixtures("home")
def test_what_differs_is_told_even_if_the_drill_is_stopped_after_it(
    world: World, key: Path
) -> None:
    changed = world.contents(f"tank/db@{world.snapshots('tank/db')[0]}") / "ledger"
    changed.write_bytes(b"balance 2" * 1000)

    running = drill(world.here(), "shed", Plan("a test", 1, key=key))
    first = next(running)
    running.close()

    assert (first.dataset, first.verdict) == ("tank/db", "differs")
    assert verdict(world) == "0.0"


@pytest.mark.usefixtures("home")
def test_a_drill_that_was_stopped_is_no_success(world: World, key: Path) -> None:
    running = drill(world.here(), "shed", Plan("a test", 1, key=key))
    assert next(running).verdict == "same"
    running.close()

    assert verdict(world) == "none"


@pytest.mark.usefixtures("home")
def test_where_no_file_fits_nothing_was_proved(
    world: World, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emily_infra.backup.drilling.room.SHARE", 0.0)

    found = {each.dataset: each for each in drill(world.here(), "shed", Plan("a test", 1, key=key))}

    assert found["tank/db"].verdict == "could not run"
    assert "none of its 1 files fits" in found["tank/db"].why
    assert verdict(world) == "none"


@pytest.mark.usefixtures("home")
def test_an_alert_learns_of_a_log_that_was_changed(world: World, key: Path) -> None:
    drilled(world, key)
    figures = world.root / "metrics" / "emily-evidence.prom"
    assert "emily_evidence_valid 1.0" in figures.read_text()

    log = folder(world.here()) / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"same"', b'"differs"', 1))
    drilled(world, key)

    assert "emily_evidence_valid 0.0" in figures.read_text()


@pytest.mark.usefixtures("home")
def test_a_copy_that_is_known_to_lack_files_is_never_drilled(world: World) -> None:
    here = world.here()
    known = ledger.load(here, "shed")
    partial = known.copies[0].model_copy(update={"verdict": "partial"})
    ledger.save(here, "shed", known.model_copy(update={"copies": (partial,)}))

    assert candidates(here, contact(here, "shed")) == []


def test_what_is_encrypted_is_restored_nowhere_in_the_clear(world: World) -> None:
    world.zfs("create", "-o", "encryption=on", "-o", "keyformat=raw", "vault/safe")

    assert [each.above for each in rooms(world.here(), "vault/safe")] == ["vault/safe"]
    assert [each.above for each in rooms(world.here(), "tank/db")] == ["tank", ""]


CALLS = (
    ("zfs", "create"), ("zfs", "destroy"), ("zfs", "hold"), ("zfs", "release"), ("mount",),
    ("umount",), ("restic", "restore"), ("restic", "snapshots"),
)  # fmt: skip


@pytest.mark.usefixtures("home")
def test_a_drill_killed_anywhere_leaves_nothing_after_the_next(world: World, key: Path) -> None:
    building.install(world.root, "restic")
    chance = random.Random(os.environ.get("EMILY_CRASH_SEED", "1"))
    for _ in range(int(os.environ.get("EMILY_CRASHES", "3"))):
        call = chance.choice(CALLS)
        world.faults.kill(*call, number=chance.randint(1, 3))
        drilled(world, key)
        world.faults.clear()

    done, found = drilled(world, key)

    assert done.code == 0, done.err + done.out
    assert {each["verdict"] for each in found.values()} == {"same"}
    assert untidy(world) == []
    assert world.run("evidence", "--key", f"{key}.pub").code == 0
    assert folder(world.here()).exists()


def test_device_nodes_are_drawn_only_where_they_can_be_made(
    world: World, key: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = "emily_infra.backup.sample.stat.S_ISCHR"  # a pipe stands for a node that none may make
    monkeypatch.setattr(kinds, stat.S_ISFIFO)
    made = "emily_infra.backup.drilling.drill.can_make_devices"
    found = {}

    for able in (True, False):
        monkeypatch.setattr(made, lambda able=able: able)
        plan = Plan("ada", 1, key=key)
        found[able] = {each.dataset: each for each in drill(world.here(), "shed", plan)}

    pipes = sum(each.is_fifo() for each in home.rglob("*"))
    assert pipes
    assert found[True]["tank/home"].why == ""
    assert found[False]["tank/home"].why.endswith(f"may make none: {pipes}")
    assert found[False]["tank/home"].verdict == "same"
