"""A memory that is killed keeps all that it has committed.

EMILY_KILLS=200 is the long run; an ordinary one sees a few.
"""

import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from emily_runtime.memory.episode import Episode
from emily_runtime.memory.sqlite.store import NAME, Settings, SqliteStore
from emily_runtime.memory.store import Store
from tests.runtime.memory.episodes import episode, fields, run

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("EMILY_KILLS", "3"))


def killed(folder: Path, seed: int) -> list[str]:
    """What a process that is killed at a random moment has told that it committed."""
    draw = random.Random(seed)
    command = [sys.executable, "-m", "tests.runtime.memory.remembering", "kill", str(folder)]
    with subprocess.Popen([*command, str(seed)], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        for _ in range(draw.randrange(400)):
            process.stdout.readline()
        time.sleep(draw.random() / 200)
        process.kill()
        return process.stdout.read().decode().split()


def test_no_committed_episode_is_lost_however_often_it_is_killed(tmp_path: Path) -> None:
    committed: set[str] = set()
    compared: set[str] = set()
    for seed in range(KILLS):
        committed |= set(killed(tmp_path, seed))

        held = run(lambda: SqliteStore(tmp_path, Settings(wait=60.0)), everything)

        new = [one for one in held if one.identity not in compared]
        assert committed <= {one.identity for one in held}
        assert [fields(one) for one in new] == [fields(meant(one)) for one in new]
        assert sound(tmp_path / NAME)
        compared |= {one.identity for one in new}


async def everything(store: Store) -> list[Episode]:
    """All episodes, in full."""
    return await store.scan("", 1_000_000)


def meant(one: Episode) -> Episode:
    """What the run that wrote it was to write."""
    return episode(int(one.trace[1:]), seed=int(one.source.split()[1]))


def sound(file: Path) -> bool:
    """Whether SQLite itself finds nothing wrong, in the words' index neither."""
    with sqlite3.connect(file) as database:
        whole = database.execute("pragma integrity_check").fetchall()
        indexed = database.execute("select count(*) from words_docsize").fetchone()
        stored = database.execute("select count(*) from episodes").fetchone()
    return (whole, indexed) == ([("ok",)], stored)
