"""Disk and database fail under the whole service: a clear word, the rest goes on, and it heals."""

import getpass
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.runtime.memory.servers import Server, served, with_pgvector
from tests.runtime.mind.runtimes import PING
from tests.runtime.process import TOKEN, Running, configuration, run, service
from tests.runtime.service.served import Answer, Served

SETTINGS = '[service]\nhost = "127.0.0.1"\nport = 0\n'
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]


def ask(running: Running, path: str, body: object = None) -> Answer:
    answer = Served(running.process, running.port).ask(f"/api/v1/{path}", body)
    assert "Traceback" not in answer.text
    return answer


def goes_on(running: Running) -> None:
    """What needs neither disk nor database is as before."""
    assert ask(running, "stimulus", {"text": "ping"}).content["words"] == "pong"
    assert ask(running, "attention", {"signals": [1.0]}).status == 200
    assert ask(running, "inference/plan", {}).status == 200
    assert ask(running, "status").status == 200
    assert running.get("/health").startswith("HTTP/1.1 200 ")
    assert "emily_build_info" in running.get("/metrics")


def own_mount(folder: Path, options: str) -> list[str]:
    """Run what follows where FOLDER is a small disk of its own."""
    if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode:
        pytest.skip("this machine allows no namespaces")
    return [*UNSHARE, f'mount -t tmpfs -o {options} none {folder} && exec "$0" "$@"']


def test_a_full_disk_refuses_what_is_new_and_answers_the_rest(tmp_path: Path) -> None:
    state, letters = tmp_path / "state", Random(1)
    state.mkdir()
    small = own_mount(state, "size=3m")

    with service(tmp_path, SETTINGS + PING, within=small, STATE_DIRECTORY=str(state)) as running:
        kept = ask(running, "memory", {"text": "spare keys hang behind the switchboard"})
        answers: list[Answer] = []
        while not answers or answers[-1].status == 201:
            answers.append(ask(running, "memory", {"text": letters.randbytes(30_000).hex()}))
            assert len(answers) < 200
        stimulus = ask(running, "stimulus", {"text": "why is the pool slow? " * 500})
        found = ask(running, "memory/search", {"text": "switchboard keys", "most": 1})

        assert (answers[-1].status, answers[-1].content["code"]) == (503, "EMY-4001")
        assert stimulus.status in (200, 503)
        assert found.content[0]["identity"] == kept.content["identity"]
        goes_on(running)
        assert running.stop() == 0


def test_on_a_disk_that_can_only_be_read_it_does_not_start_and_says_why(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (tmp_path / "token").write_text(TOKEN)
    folders = {"CREDENTIALS_DIRECTORY": str(tmp_path), "STATE_DIRECTORY": str(state)}

    done = run(
        "serve", "--config", configuration(tmp_path), within=own_mount(state, "ro"), **folders
    )

    assert done.returncode == 1
    assert done.stderr.startswith("EMY-")
    assert str(state) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    with served(with_pgvector()) as server:
        yield server


def test_with_postgresql_all_tiers_work_and_its_absence_is_survived(
    tmp_path: Path, database: Server
) -> None:
    dsn = f"host={database.folder} dbname=postgres user={getpass.getuser()}"
    memory = f'[memory]\nstore = "postgresql"\ndsn = "{dsn}"\n'

    with service(tmp_path, SETTINGS + memory + PING) as running:
        kept = ask(running, "memory", {"text": "spare keys hang behind the switchboard"})
        reply = ask(running, "stimulus", {"text": "where are the spare keys?"}).content
        database.stop()
        refused = [ask(running, "memory", {"text": "a ladder"}) for _ in range(4)]
        goes_on(running)
        metrics = running.get("/metrics")
        database.start()
        again = patiently(running, "memory/search", {"text": "switchboard keys", "most": 1})

    assert kept.status == 201
    assert (reply["tier"], reply["recalled"][0]["text"]) == (
        "inference",
        "spare keys hang behind the switchboard",
    )
    assert {one.status for one in refused} == {503}
    assert all(one.content["code"].startswith(("EMY-402", "EMY-5001")) for one in refused)
    assert 'emily_breaker_trips_total{breaker="postgresql"} 1.0' in metrics
    assert "emily_memory_up 0.0" in metrics
    assert again.content[0]["identity"] == kept.content["identity"]


def patiently(running: Running, path: str, body: Any) -> Answer:
    """The answer, once the server behind it is no longer left alone."""
    end = time.monotonic() + 30
    while (answer := ask(running, path, body)).status == 503 and time.monotonic() < end:
        time.sleep(0.2)
    return answer
