"""A service that is killed keeps every episode that it has said it remembers.

EMILY_KILLS=200 is the long run; an ordinary one sees a few.
"""

import json
import os
import random
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread

from tests.runtime.process import TOKEN, Running, run, service

KILLS = int(os.environ.get("EMILY_KILLS", "2"))
CALLERS = 4
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SETTINGS = '[service]\nhost = "127.0.0.1"\nport = 0\nrate = 100000\n'


def remembered(running: Running, kept: list[str]) -> None:
    """Have episodes remembered, one after the other, until nobody answers any more."""
    line = HTTPConnection("127.0.0.1", running.port, timeout=20)
    try:
        for number in range(100_000):
            body = json.dumps({"text": f"disk {number} failed its test"})
            line.request("POST", "/api/v1/memory", body, BEARER)
            reply = line.getresponse()
            told = json.loads(reply.read())
            assert reply.status == 201, told
            kept.append(told["identity"])
    except (OSError, HTTPException, ValueError):
        return


def killed(folder: Path, seconds: float) -> Iterator[str]:
    """What callers were told is remembered, by a service that is killed after SECONDS of it."""
    kept: list[list[str]] = [[] for _ in range(CALLERS)]
    with service(folder, SETTINGS) as running:
        callers = [Thread(target=remembered, args=(running, mine)) for mine in kept]
        for one in callers:
            one.start()
        time.sleep(seconds)
        running.process.kill()
        for one in callers:
            one.join(30)
    (folder / "notify").unlink()
    for mine in kept:
        yield from mine


def test_what_was_answered_is_there_after_a_kill_at_any_moment(tmp_path: Path) -> None:
    told: list[str] = []
    for seed in range(KILLS):
        told += killed(tmp_path, random.Random(seed).uniform(0.05, 0.6))

    state = ("--config", tmp_path / "runtime.toml", "--state", tmp_path)
    exported = run("memory", "export", *state).stdout.splitlines()

    assert len(told) > KILLS
    assert set(told) <= {json.loads(line)["identity"] for line in exported}
