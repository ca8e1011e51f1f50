"""The world keeps to what was measured of OpenZFS 2.1.11 and 2.4.4."""

import json
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.backup.world import World, ended

HOME, PHOTOS = "tank/home", "tank/home/photos"


def test_a_list_of_names_to_destroy_may_hold_one_that_is_gone(world: World) -> None:
    world.zfs("snapshot", f"{HOME}@a")

    done = world.program("zfs", "destroy", f"{HOME}@gone,a")

    assert done.code == 0
    assert world.snapshots(HOME) == []


@pytest.mark.parametrize(
    ("version", "words"), [("2.1.11", "dataset is busy"), ("2.4.4", "it's being held")]
)
def test_nothing_of_a_list_is_destroyed_where_one_is_held(
    tmp_path: Path, version: str, words: str
) -> None:
    world = World(tmp_path, version=version).start()
    world.zfs("snapshot", f"{HOME}@a")
    world.zfs("snapshot", f"{HOME}@b")
    world.zfs("hold", "mine", f"{HOME}@b")

    done = world.program("zfs", "destroy", f"{HOME}@a,b")

    assert (done.code, world.snapshots(HOME)) == (1, ["a", "b"])
    assert words in done.err
    world.close()


def test_nothing_of_a_list_is_destroyed_where_one_is_cloned(world: World) -> None:
    world.zfs("snapshot", f"{HOME}@a")
    world.zfs("snapshot", f"{HOME}@b")
    world.zfs("clone", f"{HOME}@b", "tank/clone")

    done = world.program("zfs", "destroy", f"{HOME}@a,b")

    assert (done.code, world.snapshots(HOME)) == (1, ["a", "b"])
    assert "snapshot has dependent clones" in done.err


def test_a_mounted_snapshot_is_busy_until_its_namespace_is_killed(world: World) -> None:
    world.write(HOME, "letter", b"dear")
    world.zfs("snapshot", f"{HOME}@a")
    shell = f"mkdir seen && mount -t zfs -o ro {HOME}@a seen && cat seen/letter && read forever"
    reader = world.begin_program("unshare", "--mount", "sh", "-c", shell)
    assert reader.stdout
    assert reader.stdout.read(4) == b"dear"

    assert "dataset is busy" in world.program("zfs", "destroy", f"{HOME}@a").err
    reader.kill()
    reader.communicate()

    assert world.mounts_left() == []
    assert world.program("zfs", "destroy", f"{HOME}@a").code == 0


def test_snapshots_of_many_datasets_are_of_one_moment_or_not_at_all(world: World) -> None:
    world.zfs("snapshot", f"{HOME}@a", f"{PHOTOS}@a")

    again = world.program("zfs", "snapshot", f"{PHOTOS}@a", "tank/db@a")

    listed = world.zfs("list", "-Hp", "-o", "createtxg", f"{HOME}@a", f"{PHOTOS}@a")
    assert len(set(listed.split())) == 1
    assert (again.code, world.snapshots("tank/db")) == (1, [])
    assert "dataset already exists\nno snapshots were created" in again.err


def test_a_snapshot_holds_what_was_there_and_no_other_dataset(world: World) -> None:
    world.write(HOME, "letter", b"old")
    world.write(PHOTOS, "cat", b"meow")
    world.zfs("snapshot", f"{HOME}@a")
    world.write(HOME, "letter", b"new")

    seen = world.contents(f"{HOME}@a")

    assert (seen / "letter").read_bytes() == b"old"
    assert list((seen / "photos").iterdir()) == []


def test_creation_runs_back_with_the_clock_and_createtxg_does_not(world: World) -> None:
    world.at(datetime(2026, 3, 1, tzinfo=UTC))
    world.zfs("snapshot", f"{HOME}@first")
    world.at(datetime(2020, 3, 1, tzinfo=UTC))
    world.zfs("snapshot", f"{HOME}@second")

    by_time = world.zfs("list", "-Hp", "-t", "snapshot", "-s", "creation", "-o", "name", HOME)

    assert by_time.split() == [f"{HOME}@second", f"{HOME}@first"]
    assert world.snapshots(HOME) == ["first", "second"]


def test_a_suspended_pool_fails_by_name_and_is_left_out_of_a_list_of_all(world: World) -> None:
    world.faults.health("tank", "SUSPENDED")

    named = world.program("zfs", "list", HOME)
    taken = world.program("zfs", "snapshot", f"{HOME}@a")
    every = world.program("zfs", "list", "-H", "-o", "name")

    assert (named.code, taken.code, every.code) == (1, 2, 0)
    assert "pool I/O is currently suspended" in named.err
    assert every.out.split() == ["vault"]
    assert world.program("zpool", "list", "-H", "-o", "health", "tank").out == "SUSPENDED\n"


def test_a_full_pool_still_lets_go_of_snapshots(world: World) -> None:
    world.zfs("snapshot", f"{HOME}@a")
    world.faults.full("tank")

    taken = world.program("zfs", "snapshot", f"{HOME}@b")
    marked = world.program("zfs", "bookmark", f"{HOME}@a", f"{HOME}#a")

    assert "out of space" in taken.err
    assert "out of space" in marked.err
    assert world.zfs("list", "-Hp", "-o", "available", HOME) == "0\n"
    assert world.program("zfs", "destroy", f"{HOME}@a").code == 0


def test_disks_that_hang_stop_what_writes_and_show_only_in_the_kernels_list(world: World) -> None:
    world.faults.stuck("tank")

    writing = world.begin_program("zfs", "snapshot", f"{HOME}@a")
    with pytest.raises(subprocess.TimeoutExpired):
        ended(writing, deadline=0.5)

    assert world.program("zpool", "list", "-H", "-o", "health", "tank").out == "ONLINE\n"
    newest = (world.root / "kstat/tank/txgs").read_text().splitlines()[-1]
    assert newest.split()[2] == "S"


def test_version_2_1_knows_neither_json_nor_holds_by_the_second(tmp_path: Path) -> None:
    world = World(tmp_path, version="2.1.11").start()
    world.zfs("snapshot", f"{HOME}@a")

    assert world.program("zpool", "status", "-j").code == 2
    assert world.program("zfs", "holds", "-Hp", f"{HOME}@a").code == 2
    world.close()


@pytest.mark.parametrize(
    "words", [("-r", f"{HOME}@a"), ("-R", HOME), ("-f", HOME), (f"{HOME}@a%b",), (f"{HOME}@",)]
)
def test_what_must_never_be_asked_is_refused_and_kept_for_the_record(
    world: World, words: tuple[str, ...]
) -> None:
    done = world.program("zfs", "destroy", *words)

    assert done.code == 1
    assert len(world.violations()) == 1
    world.forgive()


def test_what_the_world_does_not_know_is_no_success(world: World) -> None:
    assert world.program("zfs", "list", "-Z").code == 2
    assert world.program("zfs", "list", "-o", "colour", HOME).code == 2
    assert world.program("zfs", "diff", HOME).code == 2


def test_a_kill_at_a_call_ends_the_command_and_leaves_the_state_whole(world: World) -> None:
    world.zfs("snapshot", f"{HOME}@a")
    world.faults.kill("zfs", "hold", number=2)
    steps = f"zfs hold one {HOME}@a; zfs hold two {HOME}@a; zfs hold three {HOME}@a"

    done = world.program("sh", "-c", steps)

    assert done.code == -9
    assert world.holds(f"{HOME}@a") == {"one"}


def test_a_dataset_can_vanish_before_a_call(world: World) -> None:
    world.faults.vanish(PHOTOS, "zfs", "snapshot")

    done = world.program("zfs", "snapshot", f"{PHOTOS}@a")

    assert (done.code, world.program("zfs", "list", PHOTOS).code) == (2, 1)


def test_the_command_line_reads_the_clock_of_the_world(world: World) -> None:
    world.at(datetime(2031, 5, 1, 12, tzinfo=UTC))
    world.later(hours=1)

    assert world.take(HOME) == "emily-20310501T130000Z"
    assert world.here().now() == datetime(2031, 5, 1, 13, tzinfo=UTC)
    assert "2031-05-01 13:00" in world.run("list").out


def test_a_past_of_many_snapshots_costs_no_calls(world: World) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)

    world.past(HOME, [first + timedelta(hours=hour) for hour in range(500)])

    assert len(world.snapshots(HOME)) == 500
    assert world.calls() == []


def test_a_status_tells_of_a_resilver(world: World) -> None:
    world.faults.resilver("tank")

    told = json.loads(world.program("zpool", "status", "-j", "tank").out)

    assert told["pools"]["tank"]["scan_stats"]["function"] == "RESILVER"


def test_what_is_sent_arrives_with_its_guid_its_time_and_every_byte(world: World) -> None:
    world.write(HOME, "letter", b"old")
    world.zfs("snapshot", f"{HOME}@a")
    world.write(HOME, "letter", b"new")
    (world.mountpoint(HOME) / "again").hardlink_to(world.mountpoint(HOME) / "letter")
    world.zfs("snapshot", f"{HOME}@b")

    for words in ((f"{HOME}@a",), ("-i", "@a", f"{HOME}@b")):
        sent = send(world, *words)
        assert world.program("zfs", "receive", "-u", "vault/home", stdin=sent).code == 0

    here, there = (world.zfs("list", "-Hpd1", "-t", "snapshot", "-o", "guid,creation", name)
                   for name in (HOME, "vault/home"))  # fmt: skip
    arrived = world.contents("vault/home@b")
    assert here == there
    assert (arrived / "letter").read_bytes() == b"new"
    assert (arrived / "again").stat().st_ino == (arrived / "letter").stat().st_ino


def test_a_stream_that_breaks_off_goes_on_where_it_was(world: World) -> None:
    world.write(HOME, "film", bytes(range(256)) * 2000)
    world.zfs("snapshot", f"{HOME}@a")
    world.faults.break_streams(after=300_000)
    half = world.program("zfs", "receive", "-s", "vault/home", stdin=send(world, f"{HOME}@a"))
    world.faults.clear()

    token = world.zfs("get", "-Hp", "-o", "value", "receive_resume_token", "vault/home").strip()
    rest = send(world, "-t", token)

    assert (half.code, "zfs send -t" in half.err) == (1, True)
    assert world.program("zfs", "receive", "-s", "vault/home", stdin=rest).code == 0
    assert len(rest) < 300_000
    assert (world.contents("vault/home@a") / "film").stat().st_size == 512_000


def test_a_stream_fits_only_what_it_follows_on(world: World) -> None:
    for name in "abc":
        world.write(HOME, "letter", name.encode())
        world.zfs("snapshot", f"{HOME}@{name}")
    world.program("zfs", "receive", "-u", "vault/home", stdin=send(world, f"{HOME}@a"))

    gap = world.program("zfs", "receive", "vault/home", stdin=send(world, "-i@b", f"{HOME}@c"))
    whole = world.program("zfs", "receive", "vault/home", stdin=send(world, f"{HOME}@a"))
    (world.contents("vault/home") / "letter").write_text("touched")
    next_one = send(world, "-i@a", f"{HOME}@b")
    changed = world.program("zfs", "receive", "vault/home", stdin=next_one)

    assert "does not\nmatch incremental source" in gap.err
    assert "must specify -F to overwrite it" in whole.err
    assert "has been modified\nsince most recent snapshot" in changed.err


def test_a_bookmark_stands_in_for_its_snapshot_as_a_source(world: World) -> None:
    world.zfs("snapshot", f"{HOME}@a")
    world.zfs("bookmark", f"{HOME}@a", f"{HOME}#a")
    world.program("zfs", "receive", "-u", "vault/home", stdin=send(world, f"{HOME}@a"))
    world.zfs("destroy", f"{HOME}@a")
    world.write(HOME, "letter", b"new")
    world.zfs("snapshot", f"{HOME}@b")

    more = send(world, "-i", "#a", f"{HOME}@b")

    assert world.program("zfs", "receive", "-u", "vault/home", stdin=more).code == 0
    assert world.snapshots("vault/home") == ["a", "b"]


def test_what_is_received_below_an_encrypted_dataset_is_encrypted(world: World) -> None:
    world.zfs("create", "-o", "encryption=aes-256-gcm", "-o", "keyformat=raw", "vault/safe")
    world.zfs("snapshot", f"{HOME}@a")
    stream = send(world, f"{HOME}@a")

    world.program("zfs", "receive", "-u", "vault/safe/home", stdin=stream)
    world.zfs("unload-key", "vault/safe")
    locked = world.program("zfs", "receive", "-u", "vault/safe/more", stdin=stream)

    asked = ("encryption", "encryptionroot", "keystatus")
    told = world.zfs("get", "-Hp", "-o", "value", ",".join(asked), "vault/safe/home")
    assert told.split() == ["aes-256-gcm", "vault/safe", "unavailable"]
    assert "inherited key must be loaded" in locked.err


def test_a_raw_stream_is_never_asked_for(world: World) -> None:
    world.zfs("snapshot", f"{HOME}@a")

    assert world.program("zfs", "send", "-w", f"{HOME}@a").code == 1
    assert "raw streams" in world.violations()[0]
    world.forgive()


def test_an_interrupt_reaches_the_command_line(world: World) -> None:
    world.faults.slow("zfs", "list", seconds=30)
    running = world.begin("list")
    while not world.calls():
        assert running.poll() is None
    running.send_signal(signal.SIGINT)

    assert ended(running, deadline=10).code == 130


def send(world: World, *words: str) -> bytes:
    """A stream as bytes, broken off or not."""
    process = world.begin_program("zfs", "send", *words)
    return process.communicate(timeout=30)[0]


def test_a_kill_may_come_after_what_a_call_did(world: World) -> None:
    world.faults.kill("zfs", "snapshot", after=True)

    done = world.program("sh", "-c", f"zfs snapshot {HOME}@a; zfs snapshot {HOME}@b")

    assert (done.code, world.snapshots(HOME)) == (-9, ["a"])


def test_a_small_pool_is_full_until_a_snapshot_gives_room(world: World) -> None:
    world.zfs("snapshot", f"{HOME}@a")
    world.weigh(f"{HOME}@a", 1 << 30)
    world.resize("tank", 1 << 30)

    full = world.program("zfs", "snapshot", f"{HOME}@b")
    world.zfs("destroy", f"{HOME}@a")

    assert "out of space" in full.err
    assert world.program("zfs", "snapshot", f"{HOME}@b").code == 0


def test_a_real_program_that_is_watched_can_fail_and_go_on(world: World) -> None:
    world.watch("true")
    world.faults.fail("true", text="true: not today", status=9)

    assert [world.program("true", "now").code for _ in range(2)] == [9, 0]
    assert world.calls("true") == [["now"], ["now"]]


def test_a_snapshot_is_mounted_as_it_is_with_zfs(world: World) -> None:
    world.write(HOME, "letter", b"dear")
    world.zfs("snapshot", f"{HOME}@a")
    seen = world.root / "seen"
    seen.mkdir()

    assert world.program("mount", "-t", "zfs", "-o", "ro", f"{HOME}@a", str(seen)).code == 0

    assert os.path.ismount(seen)
    with pytest.raises(OSError, match="Read-only"):
        (seen / "letter").write_text("no")
    assert f" {HOME}@a ro" in Path("/proc/self/mountinfo").read_text()
    assert world.program("umount", str(seen)).code == 0
    assert world.program("mount", "-t", "zfs", f"{HOME}@b", str(seen)).code == 1
    assert "cannot be mounted using" in world.program("mount", "-t", "zfs", HOME, str(seen)).err


def test_a_snapshot_is_busy_while_it_is_sent(world: World) -> None:
    world.write(HOME, "film", bytes(1 << 20))
    world.write(HOME, "noise", os.urandom(1 << 20))
    world.zfs("snapshot", f"{HOME}@a")
    sending = world.begin_program("zfs", "send", f"{HOME}@a")
    assert sending.stdout
    assert sending.stdout.read(1)

    assert "dataset is busy" in world.program("zfs", "destroy", f"{HOME}@a").err
    sending.kill()
    sending.communicate()

    assert world.program("zfs", "destroy", f"{HOME}@a").code == 0
