"""Ctrl-C, and readers that go away, while commands are at work."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apply.conftest import in_memory
from tests.cli.boxes import SSHD, Site, Template, begun, described, site
from tests.cli.command import emily, project, text_of
from tests.hosts import ROOT

over_ssh = pytest.mark.skipif(
    not os.path.exists(SSHD) or os.geteuid() != 0, reason="needs sshd, and root for its world"
)
APPLY = ("apply", "--yes", "--accept", "lock-out")
BUILDS_FOR_EVER = """#!/bin/sh
echo $$ >>"$0.pids"
exec sleep 300
"""
TELLS = """
from emily_infra.apply.progress import Said
from emily_infra.cli.telling import telling
with telling(as_json={json}) as told:
    for _ in range(3):
        told(Said("alpha", "x" * 10_000))
raise SystemExit(3)
"""


@pytest.fixture
def two(template: Template) -> Iterator[Site]:
    with in_memory() as folder, site(template, folder, ["alpha", "beta"]) as here:
        for name in here.boxes:
            here.builds(name, "fresh")
        yield here


def at_work(folder: Path, *words: str) -> "subprocess.Popen[str]":
    path = f"{folder}/tools:{os.environ['PATH']}"
    return begun(folder, {"PATH": path, "HOME": str(folder), "PYTHONPATH": str(ROOT)}, *words)


@pytest.mark.parametrize("json", [True, False])
def test_a_full_disk_under_a_log_does_not_end_what_is_told_of(json: bool) -> None:  # noqa: FBT001
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", TELLS.format(json=json)], cwd=ROOT, stdout=full, stderr=full,
            check=False,
        )  # fmt: skip

    assert done.returncode == 3


@over_ssh
@pytest.mark.parametrize("names", [["alpha"], ["alpha", "beta"]], ids=["one", "fleet"])
def test_a_reader_that_goes_away_leaves_the_deploy_to_its_end(two: Site, names: list[str]) -> None:
    running = two.begin(*APPLY, *names)
    assert running.stderr
    assert running.stdout
    next(line for line in running.stderr if line == "alpha: lock\n")
    running.stderr.close()
    running.stdout.close()

    code = running.wait(120)

    assert code == 0
    assert all(two.boxes[name].drill.is_wholly("fresh") for name in names)


@over_ssh
def test_a_stop_after_the_switch_began_leaves_the_host_to_its_own_guard(two: Site) -> None:
    alpha = two.boxes["alpha"].drill
    alpha.world.hook("fresh.test", "sleep 3")
    running = two.begin(*APPLY, "alpha")
    assert running.stderr
    next(line for line in running.stderr if line == "alpha: activate\n")

    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)

    assert running.returncode == 5, err
    assert "alpha: left to its own guard: alpha decides by itself, by " in out
    assert alpha.settled(90) == "rolled-back"


@pytest.mark.parametrize("words", [["--all"], ["alpha"]], ids=["fleet", "one"])
def test_a_stop_while_hosts_are_planned_for_ends_at_once_with_all_that_was_started(
    tmp_path: Path, words: list[str]
) -> None:
    root = _rendered(tmp_path, "alpha", "beta", "gamma")
    running = at_work(root, "apply", *words, "--yes")
    pids = _pids(root / "tools/nix.pids", 2 if words == ["--all"] else 1)

    running.send_signal(signal.SIGINT)
    begin = time.monotonic()
    _, err = running.communicate(timeout=60)

    assert running.returncode == 130, err
    assert "stopped by hand: no host was changed" in err
    assert time.monotonic() - begin < 15
    assert [pid for pid in _pids(root / "tools/nix.pids", 1) if Path(f"/proc/{pid}").exists()] == []
    assert len(_pids(root / "tools/nix.pids", 1)) == len(pids)


def test_a_stop_while_machines_are_looked_at_waits_for_none_of_them(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = text_of("pebble").replace("192.168.1.10\n", "127.0.0.1\n  user: root\n", 1)
        port = f"system:\n  ssh: {{ port: {silent.getsockname()[1]} }}"
        root = project(tmp_path, pebble=text.replace("system:", port, 1))
        running = at_work(root, "status", "pebble")
        connection, _ = silent.accept()

        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=10)
        connection.close()

    assert running.returncode == 130, err
    assert "stopped by hand" in err


def _rendered(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names, start=11):
        described(folder, name, number)
    (folder / "tools").mkdir()
    (folder / "tools/nix").write_text(BUILDS_FOR_EVER)
    (folder / "tools/nix").chmod(0o755)
    done = emily(folder, "render")
    assert done.code == 0, done.err
    return folder


def _pids(file: Path, count: int) -> list[str]:
    """Of the builds that have begun, once there are so many."""
    end = time.monotonic() + 60
    while not file.exists() or len(file.read_text().splitlines()) < count:
        assert time.monotonic() < end, "nothing is built"
        time.sleep(0.05)
    return file.read_text().split()
