"""Copies while things go wrong: kills, full disks, servers that go away."""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emily_infra.backup import ledger
from emily_infra.backup.compare import Comparison
from emily_infra.backup.copies import listed
from emily_infra.backup.offsite import Request, offsite
from emily_infra.backup.recovery import recover as recovery
from emily_infra.backup.restic import repository
from emily_infra.backup.restic.faults import ResticFailed
from emily_infra.backup.restic.program import Restic
from tests.backup.shed import ALL, clean, copies, figures, next_hour, restic, restored
from tests.backup.world import World, building

CRASHES = int(os.environ.get("EMILY_CRASHES", "3"))
LINES = 200_000
RESTIC = """#!/bin/sh
case "$*" in
  version) echo "restic 0.18.0 compiled with go1.24.4 on linux/amd64" ;;
  *"cat config"*) echo '{"id":"ab"}' ;;
  *snapshots*) echo '[]' ;;
  *backup*) COPIES ;;
esac
"""
TALKATIVE = """
    yes '{"message_type":"status","total_files":9,"bytes_done":5,"current_files":["LONG"]}' |
      head -n LINES
    echo '{"message_type":"summary","snapshot_id":"cd","total_files_processed":3}'
"""
HANGING = """
    touch BEGUN
    while :; do echo '{"message_type":"status","total_files":9}'; sleep 0.2; done
"""


def inhabitants(world: World) -> list[int]:
    """Every process that works on this world: our own, restic, and their children."""
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{name}/environ").read_bytes() if name.isdigit() else b""
            if os.fsencode(world.root) in text and int(name) != os.getpid():
                found.append(int(name))
    return found


def memory(process: int) -> int:
    """The most that a process took since it became this program, in kB; 0 when it has ended."""
    text = ""
    with contextlib.suppress(OSError):  # ru_maxrss would count the memory of whoever forked it
        text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def killed(world: World, until: Callable[[], bool], seconds: float) -> None:
    """A run that is killed so long after a moment, together with all that it started."""
    run = world.begin("offsite", "shed")
    while run.poll() is None and not until():
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.communicate(timeout=seconds)
    ended = set()
    while pids := inhabitants(world):  # one may just have started another
        ended.update(pids)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    run.communicate()
    # To restic a process lives until its parent has heard of its end, which init is in no hurry
    # to do here; and a namespace goes after its last process.
    end = time.monotonic() + 30
    while time.monotonic() < end and (world.mounts_left() or any(map(still_there, ended))):
        time.sleep(0.05)


def still_there(process: int) -> bool:
    """Whether a number is taken, if only by one whose end nobody has heard of."""
    return Path(f"/proc/{process}").exists()


def begins() -> bool:
    """At once."""
    return True


def locks(world: World) -> list[str]:
    """The names of the locks in the repository; one that is being written has another one."""
    return [name for name in os.listdir(world.root / "repositories/shed/locks") if len(name) == 64]


def test_runs_that_are_killed_at_any_moment_need_no_hand(shed: World) -> None:
    chance = random.Random(5)

    for number in range(CRASHES):
        shed.write("tank/db", f"more-{number}", os.urandom(2_000_000))
        next_hour(shed)
        moment, longest = chance.choice(
            (
                (begins, 2.5),
                (lambda: bool(locks(shed)), 0.5),
                (lambda: bool(shed.mounts_left()), 0.5),
            )
        )
        killed(shed, moment, chance.uniform(0, longest))
        assert shed.mounts_left() == []
        done = shed.run("offsite", "shed")
        assert done.code == 0, done.err
        assert clean(shed), f"after run {number}"

    restic(shed, "check", "--read-data")
    times = [copy["time"] for copy in copies(shed)]
    assert len(times) == len(set(times))
    assert figures(shed)["emily_backup_incomplete"] == 0
    found = Comparison(
        os.fsencode(shed.mountpoint("tank/db")), os.fsencode(restored(shed, "tank/db"))
    )
    assert list(found.tree()) == []


def test_the_lock_of_a_killed_run_goes_with_the_next_one(shed: World) -> None:
    shed.write("tank/db", "big", os.urandom(20_000_000))
    next_hour(shed)
    killed(shed, lambda: bool(locks(shed)), 0)
    left = locks(shed)

    done = shed.run("offsite", "shed")

    assert len(left) == 1
    assert done.code == 0
    assert "removed the lock of process" in done.err
    assert clean(shed)


def test_a_copy_that_was_done_when_its_run_was_killed_is_taken_over(shed: World) -> None:
    shed.run("offsite", "shed")
    next_hour(shed)
    shed.run("offsite", "shed")
    known = ledger.load(shed.here(), "shed")
    newest = known.copies[-1]
    running = ledger.Running(time=newest.time, snapshots=newest.snapshots, began=newest.ended)
    before = known.model_copy(update={"copies": known.copies[:-1], "running": running})
    ledger.save(shed.here(), "shed", before)

    done = shed.run("offsite", "shed")

    assert (done.code, len(copies(shed))) == (0, 2)
    assert ledger.load(shed.here(), "shed").good == newest.model_copy(
        update={"ended": newest.time, "seconds": 0.0}
    )


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing_behind(shed: World, word: signal.Signals) -> None:
    shed.write("tank/db", "big", os.urandom(8_000_000))
    next_hour(shed)
    building.install(shed.root, "restic")
    run = shed.begin("offsite", "shed")
    while not shed.calls("restic", "backup"):
        assert run.poll() is None
        time.sleep(0.05)

    run.send_signal(word)
    _, said = run.communicate(timeout=60)

    assert run.returncode == 130
    assert b"Traceback" not in said
    assert clean(shed)


def test_a_full_repository_is_said_and_the_next_run_goes_on(shed: World) -> None:
    place = shed.root / "repositories/shed"
    kept = shutil.move(place, shed.root / "kept")
    place.mkdir()
    shed.program("mount", "-t", "tmpfs", "-o", "size=2m", "disk", str(place))
    shutil.copytree(kept, place, dirs_exist_ok=True)
    shed.write("tank/db", "big", os.urandom(8_000_000))
    next_hour(shed)

    full = shed.run("offsite", "shed")
    shed.program("mount", "-o", "remount,size=100m", str(place))
    done = shed.run("offsite", "shed")

    assert full.code == 1
    assert "is full: make room" in full.err
    assert done.code == 0, done.err
    assert clean(shed)


def test_a_server_that_does_not_answer_leaves_no_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = remote(tmp_path, f"rest:http://127.0.0.1:{free_port()}/shed")
    monkeypatch.setattr(repository, "_CONTACT", 8.0)

    with pytest.raises(ResticFailed) as caught:
        offsite(world.here(), Request("shed"))

    assert "does not answer" in caught.value.hint
    assert world.calls("zfs", "hold") == []
    world.close()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def remote(root: Path, url: str, **more: object) -> World:
    """A host whose repository is elsewhere."""
    body = building.repository(root, "shed", ALL)
    world = World(root).start(repositories={"shed": {**body, "url": url, **more}})
    world.write("tank/db", "table", os.urandom(100_000))
    world.take(*ALL)
    return world


@pytest.fixture
def server(tmp_path: Path, empty: Path) -> Iterator[str]:
    """A rest-server from which nothing can be deleted; the address of its repository."""
    shutil.copytree(empty, tmp_path / "served/shed")
    port = free_port()
    argv = ["restic-rest-server", "--no-auth", "--append-only", "--listen", f"127.0.0.1:{port}"]
    running = subprocess.Popen(
        [*argv, "--path", str(tmp_path / "served")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
    yield f"rest:http://127.0.0.1:{port}/shed"
    running.kill()
    running.communicate()


def test_an_append_only_server_gets_a_note_beside_a_partial_copy(
    tmp_path: Path, server: str
) -> None:
    world = remote(tmp_path / "world", server, append_only=True)
    world.faults.vanish("tank/home/photos", "zfs", "hold")

    partial = world.run("offsite", "shed")
    again = world.run("offsite", "shed")

    assert (partial.code, again.code) == (3, 3)
    assert [copy["tags"][0] for copy in copies(world)] == ["emily-shed", "emily-verdict-shed"] * 2
    assert [each.marked for each in listed(Restic(world.here(), "shed"))] == [True, True]
    assert figures(world)["emily_backup_incomplete"] == 1
    world.close()


def test_a_lost_host_knows_a_shrunk_copy_from_an_append_only_server(
    tmp_path: Path, server: str
) -> None:
    world = remote(tmp_path / "world", server, append_only=True)
    world.run("offsite", "shed")
    emptied(world)
    shrunk = world.run("offsite", "shed")
    ledger.path(world.here(), "shed").unlink()

    found = listed(Restic(world.here(), "shed"))

    assert shrunk.code == 3
    assert [each.marked for each in found] == [False, True]
    assert recovery.planned(world.here(), recovery.Order("shed")).copy.id == found[0].copy.id
    world.close()


def test_a_shrunk_copy_that_is_accepted_is_noted_as_good(tmp_path: Path, server: str) -> None:
    world = remote(tmp_path / "world", server, append_only=True)
    world.run("offsite", "shed")
    emptied(world)
    world.run("offsite", "shed")

    done = world.run("offsite", "shed", "--accept-shrunk")

    assert done.code == 0, done.err
    assert [each.marked for each in listed(Restic(world.here(), "shed"))] == [False, False]
    world.close()


def emptied(world: World) -> None:
    """An hour later, every dataset holds nothing any more."""
    for dataset in ALL:
        for path in world.mountpoint(dataset).iterdir():
            if path.is_file():
                path.unlink()
    next_hour(world)


def stands_in(world: World, copies: str) -> None:
    """A restic that does nothing but this when it copies."""
    (world.root / "bin/restic").write_text(RESTIC.replace("COPIES", copies))
    (world.root / "bin/restic").chmod(0o755)


def test_two_hundred_thousand_lines_of_progress_take_no_memory(shed: World) -> None:
    stands_in(shed, TALKATIVE.replace("LONG", "/srv/" + "long/" * 40).replace("LINES", str(LINES)))
    run = shed.begin("offsite", "shed")

    peak = 0
    while run.poll() is None:
        peak = max(peak, memory(run.pid))
        time.sleep(0.02)

    assert run.returncode == 0, run.communicate()
    assert 10_000 < peak < 150_000


def test_a_pool_that_stops_while_it_is_read_ends_the_copy(shed: World) -> None:
    stands_in(shed, HANGING.replace("BEGUN", str(shed.root / "begun")))
    run = shed.begin("offsite", "shed")
    while not (shed.root / "begun").exists():
        time.sleep(0.05)

    shed.faults.health("tank", "SUSPENDED")
    said = run.communicate(timeout=60)[1].decode()

    assert run.returncode == 1, said
    assert "pool tank is SUSPENDED" in said


def test_a_deleted_parent_is_replaced_by_the_newest_that_is_left(shed: World) -> None:
    shed.run("offsite", "shed")
    next_hour(shed)
    shed.run("offsite", "shed")
    restic(shed, "forget", copies(shed)[1]["id"])
    next_hour(shed)

    done = shed.run("offsite", "shed")

    assert done.code == 0, done.err
    assert copies(shed)[1]["parent"] == copies(shed)[0]["id"]
    assert re.search(r"\b3 files\b", done.out)
