"""Runs that are killed at any moment: the next one succeeds without a hand."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emily_infra.backup.restic.program import Restic
from tests.backup.restic.copies import copied, environment, ids, made
from tests.backup.world import World

NOW = datetime(2026, 5, 20, 4, tzinfo=UTC)
DAY = timedelta(days=1)
KILLS = int(os.environ.get("EMILY_CRASHES", "3"))


@pytest.fixture(scope="module")
def shed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Restic]]:
    """A repository that keeps two days."""
    world = World(tmp_path_factory.mktemp("killed")).start()
    told = json.loads(world.config.read_text())
    told["repositories"]["shed"]["keep"] = {"daily": 2}
    world.config.write_text(json.dumps(told))
    world.at(NOW)
    restic = made(world)
    for day in range(2):
        copied(restic, NOW - day * DAY, data=os.urandom(300_000))
    yield world, restic
    world.close()


def children(pid: int) -> list[int]:
    """Of a process; restic is in a session of its own."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(pid):
                found.append(int(stat.parent.name))
    return found


def killed(process: "subprocess.Popen[bytes]", whom: str) -> None:
    """By SIGKILL: our command, restic below it, or both."""
    below = children(process.pid)
    targets = {"ours": [process.pid], "restic": below, "both": [process.pid, *below]}[whom]
    for pid in targets:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)


@pytest.mark.parametrize("seed", range(KILLS))
def test_the_next_run_succeeds_without_a_hand(shed: tuple[World, Restic], seed: int) -> None:
    world, restic = shed
    chance = random.Random(seed)
    verb, whom = chance.choice(("verify", "prune")), chance.choice(("ours", "restic", "both"))
    kept = ids(restic)
    copied(restic, NOW - 5 * DAY, data=os.urandom(300_000))

    process = world.begin(verb, "shed")
    time.sleep(chance.uniform(0.2, 3.5))
    killed(process, whom)
    again = world.run(verb, "shed")
    if verb == "verify":
        assert world.run("prune", "shed").code == 0

    assert again.code == 0, again.err
    assert ids(restic) == kept
    assert not any((Path(restic.repository.url) / "locks").iterdir())
    checked = subprocess.run(
        ["restic", "check", "--read-data"], env=environment(restic.here, "shed"),
        capture_output=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
