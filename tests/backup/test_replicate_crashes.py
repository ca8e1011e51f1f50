"""Replication that is killed at either end, or loses its line: the next run goes on."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.backup.pair import DB, INTO, Pair, paired
from tests.backup.world import World
from tests.backup.world.programs.faults import inhabitants

CRASHES = int(os.environ.get("EMILY_CRASHES", "3"))
THERE = f"{INTO}/{DB}"
MANY = 40
"""Pieces of a stream; a crash comes somewhere among them."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path) as made:
        made.box.write(DB, "large", os.urandom(MANY * 65536))
        made.take(DB)
        yield made


def under_way(pair: Pair, run: "subprocess.Popen[bytes]", known: int = 0) -> None:
    """Until the far side takes in more streams than it has, or the run has ended."""
    while len(pair.barn.calls("zfs", "receive", "-s")) <= known and run.poll() is None:
        time.sleep(0.02)


def kill(world: World) -> None:
    """Everything that runs in a world, as a power cut does."""
    for pid in inhabitants(world.folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def crash(pair: Pair, deed: str, moment: float) -> None:
    """A run that ends MOMENT of the way through its stream."""
    pair.box.faults.trickle(0.03)
    known = len(pair.barn.calls("zfs", "receive", "-s"))
    run = pair.box.begin("replicate", "barn")
    under_way(pair, run, known)
    time.sleep(moment * MANY * 0.03)
    if deed == "sender":
        run.kill()
    elif deed == "host here":
        kill(pair.box)
    elif deed == "host there":
        kill(pair.barn)
    else:
        pair.wire.cut()
    if deed in ("host there", "line"):
        run.send_signal(signal.SIGINT)  # it would go on by itself, which is another test
    run.communicate(timeout=60)
    pair.box.faults.clear()


def settled(pair: Pair) -> None:
    """Both ends as they are after a run that nothing disturbed."""
    newest = pair.box.snapshots(DB)[-1]
    there = pair.state(DB)
    held = [each for each in pair.box.snapshots(DB) if pair.box.holds(f"{DB}@{each}")]
    marks = pair.box.zfs("list", "-H", "-t", "bookmark", "-o", "name", DB).split()
    assert (there.token, there.settled) == (None, True)
    assert held == [newest]
    assert len(marks) == 1
    assert pair.same(DB)


@pytest.mark.parametrize("seed", range(CRASHES))
def test_the_next_run_goes_on_after_any_crash(pair: Pair, seed: int) -> None:
    chance = random.Random(seed)
    deeds = ["sender", "host here", "host there", "line"]
    if seed % 2:
        assert pair.replicate().code == 0
        pair.box.write(DB, "large", os.urandom(MANY * 65536))
        pair.take(DB)

    crash(pair, deeds[seed % 4], chance.random())
    crash(pair, chance.choice(deeds), chance.random()) if seed >= 4 else None
    done = pair.replicate()

    assert done.code == 0, done.err
    settled(pair)


def test_what_has_arrived_is_not_sent_again(pair: Pair) -> None:
    pair.box.faults.break_streams(MANY * 65536 * 3 // 4)
    broken = pair.replicate()
    pair.box.faults.clear()
    done = pair.replicate("--json")

    assert broken.code == 1
    assert '"bytes": ' in done.out
    assert int(done.out.split('"bytes": ')[1].split(",")[0]) < MANY * 65536 // 2
    settled(pair)


def test_a_line_that_breaks_is_taken_up_again_by_the_same_run(pair: Pair) -> None:
    pair.box.faults.trickle(0.5)  # so long that a busy machine is still in the middle of it
    run = pair.box.begin("replicate", "barn")
    under_way(pair, run)
    time.sleep(0.3)
    pair.wire.cut()
    pair.box.faults.clear()

    err = run.communicate(timeout=120)[1].decode()

    assert run.returncode == 0, err
    assert "it goes on in 5 s" in err
    settled(pair)


def test_a_half_whose_source_is_gone_is_given_up(pair: Pair) -> None:
    pair.box.faults.break_streams(MANY * 65536 // 2)
    pair.replicate()
    pair.box.faults.clear()
    old = pair.box.snapshots(DB)[0]
    pair.box.zfs("release", "emily:replica-barn", f"{DB}@{old}")
    pair.box.zfs("destroy", f"{DB}@{old}")
    pair.take(DB)

    done = pair.replicate()

    assert done.code == 0, done.err
    assert "that half is given up" in done.err
    settled(pair)


@pytest.mark.parametrize("words", [("receive", "-s"), ("set",), ("hold",)])
def test_a_far_side_that_dies_after_a_step_is_put_right(pair: Pair, words: tuple[str, ...]) -> None:
    pair.barn.faults.cut("zfs", *words, after=True)
    pair.replicate()
    pair.barn.faults.clear()

    done = pair.replicate()

    assert done.code == 0, done.err
    settled(pair)


@pytest.mark.parametrize("words", [("hold",), ("bookmark",), ("destroy", "#"), ("release",)])
def test_a_sender_that_dies_at_any_step_is_put_right(pair: Pair, words: tuple[str, ...]) -> None:
    assert pair.replicate().code == 0
    pair.box.write(DB, "more", b"of it")
    pair.take(DB)
    pair.box.faults.kill("zfs", *words)
    killed = pair.replicate()
    pair.box.faults.clear()

    done = pair.replicate()

    assert killed.code == -signal.SIGKILL
    assert done.code == 0, done.err
    settled(pair)
