"""Locks in a repository: a live one stays, a dead one goes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emily_infra.backup.restic.faults import InUse
from emily_infra.backup.restic.program import Call, Restic
from emily_infra.backup.restic.unlock import Lock, free, locks, unlocked
from tests.backup.restic.copies import environment, made
from tests.backup.world import World
from tests.backup.world.building import install

NOW = datetime.now(UTC)
CHECK = Call(("check",))


def lock_files(restic: Restic) -> list[Path]:
    """Whole ones; restic gives them their names when they are."""
    return [
        path for path in (Path(restic.repository.url) / "locks").iterdir() if "-" not in path.name
    ]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def holder(restic: Restic, *before: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A restic that holds a lock for as long as the block lasts."""
    before_it = len(lock_files(restic))
    process = subprocess.Popen(
        [*before, "restic", "backup", "--stdin", "--host", "box"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environment(restic.here, restic.name),
    )  # fmt: skip
    try:
        until(lambda: len(lock_files(restic)) > before_it)
        yield process
    finally:
        process.kill()
        process.communicate()


def left_by_the_dead(restic: Restic, *before: str) -> None:
    with holder(restic, *before):
        pass


def test_a_lock_of_a_dead_run_is_removed_and_told(world: World) -> None:
    restic = made(world)
    install(world.root, "restic")
    told: list[str] = []
    object.__setattr__(restic.here, "tell", told.append)
    left_by_the_dead(restic)

    done = unlocked(restic, CHECK, wait=1)

    assert (done.status, locks(restic)) == (0, [])
    assert "--remove-all" not in str(world.calls("restic"))
    assert "which is dead" in told[0]
    figures = (world.root / "metrics" / "emily-locks-shed.prom").read_text()
    assert 'emily_lock_removed_total{repository="shed"} 1.0' in figures


def test_a_live_lock_stays_and_the_run_is_busy(world: World) -> None:
    restic = made(world)

    with holder(restic) as process:
        done = unlocked(restic, CHECK, wait=1)

        assert done.status == 11
        assert [lock.pid for lock in locks(restic)] == [process.pid]
        assert isinstance(restic.fault(done), InUse)


def test_one_live_lock_protects_the_dead_ones(world: World) -> None:
    restic = made(world)
    left_by_the_dead(restic)
    install(world.root, "restic")

    with holder(restic):
        assert free(restic) == 0
        assert world.calls("restic", "unlock") == []


def test_a_lock_of_another_host_stays(world: World) -> None:
    restic = made(world)
    left_by_the_dead(restic, "unshare", "--uts", "sh", "-c", 'hostname barn; exec "$@"', "sh")

    install(world.root, "restic")
    assert [lock.host for lock in locks(restic)] == ["barn"]
    assert free(restic) == 0
    assert len(locks(restic)) == 1
    # Once it is old, restic's own unlock would take it: it is not even asked.
    assert world.calls("restic", "unlock") == []


def test_a_run_that_is_still_dying_is_waited_for(world: World) -> None:
    restic = made(world)
    with holder(restic) as process:
        subprocess.Popen(["sh", "-c", f"sleep 1.5; kill -INT {process.pid}"])
        process.stdin.close() if process.stdin else None

        assert unlocked(restic, CHECK, wait=20).status == 0


def dead_pid() -> int:
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


@pytest.mark.parametrize(
    ("find_pid", "age", "dead"),
    [
        (os.getpid, timedelta(0), "alive"),
        (dead_pid, timedelta(0), "dead"),
        (os.getpid, timedelta(minutes=5), "alive"),  # reused; too young for restic's own unlock
        (os.getpid, timedelta(days=3000), "dead"),
        (lambda: 1, timedelta(0), "alive"),
    ],
    ids=["ours", "gone", "reused", "long reused", "of root"],
)
def test_a_lock_is_dead_where_its_process_is(
    find_pid: Callable[[], int], age: timedelta, dead: str
) -> None:
    pid = find_pid()

    lock = Lock("id", "box", pid, NOW - age)

    assert lock.is_dead(NOW) is (dead == "dead")


def test_a_lock_that_is_not_understood_is_somebody_elses(world: World) -> None:
    restic = made(world)
    left_by_the_dead(restic)
    (path,) = (Path(restic.repository.url) / "locks").iterdir()
    path.chmod(0o600)
    path.write_bytes(b"not a lock at all")

    free(restic)

    assert path.exists()


def test_our_own_death_ends_restic_and_the_next_run_goes_through(world: World) -> None:
    restic = made(world)
    (world.root / "large").write_bytes(os.urandom(30_000_000))
    code = (
        "import sys; from pathlib import Path; from emily_infra.backup.here import Here;"
        "from emily_infra.backup.settings import load;"
        "from emily_infra.backup.restic.program import Call, Restic;"
        "restic = Restic(Here(load(Path(sys.argv[1]))), 'shed');"
        "restic.talk(Call(('--limit-upload', '4000', 'backup', sys.argv[2])))"
    )
    ours = subprocess.Popen(
        [sys.executable, "-c", code, str(world.config), str(world.root / "large")]
    )
    until(lambda: len(lock_files(restic)) == 1)

    ours.kill()
    ours.wait()

    assert unlocked(restic, CHECK, wait=60).status == 0
    assert lock_files(restic) == []
