"""`emily-infra runtime` as a process, over a real SSH connection."""

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import emily, project, text_of
from tests.cli.served import SSHD, Served, served

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs sshd")
FLAG = {"name": "tree-planner", "share": 12.5, "killed": False, "owner": "colter"}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, machine: Served, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which pebble is the machine behind the daemon."""
    monkeypatch.setenv("PATH", machine.path)
    there = f"deploy:\n  user: {getpass.getuser()}\n  address: 127.0.0.1"
    text = text_of("pebble").replace("deploy:\n  address: 192.168.1.10", there)
    port = f"system:\n  ssh: {{ port: {machine.port} }}"
    return project(tmp_path, pebble=text.replace("system:", port, 1))


def test_a_host_without_a_runtime_is_told_how_to_get_one(folder: Path, machine: Served) -> None:
    machine.says("")

    done = emily(folder, "runtime", "status", "pebble")

    assert done.code == 1
    assert "RUN010: pebble has no /etc/emily/runtime" in done.err
    assert "emily-infra apply pebble" in done.err


def test_a_second_deploy_says_how_to_follow_the_first(folder: Path, machine: Served) -> None:
    machine.says("active")

    done = emily(folder, "runtime", "deploy", "pebble")

    assert done.code == 7
    assert "emily-infra runtime status pebble" in done.err


def test_a_window_that_is_no_time_is_a_wrong_command_line(folder: Path) -> None:
    done = emily(folder, "runtime", "deploy", "pebble", "--window", "soon")

    assert done.code == 1
    assert "--window" in done.err


def test_logs_are_printed_without_what_would_move_the_cursor(folder: Path, machine: Served) -> None:
    machine.says("2026-11-22 ready\x1b[2J")

    done = emily(folder, "runtime", "logs", "pebble")

    assert done.code == 0
    assert "ready" in done.out
    assert "\x1b" not in done.out


def test_flags_are_a_table_and_data(folder: Path, machine: Served) -> None:
    machine.says(f"{json.dumps([FLAG])}\n200 0.001")

    table = emily(folder, "runtime", "flags", "pebble")
    data = emily(folder, "runtime", "flags", "pebble", "--json")

    assert "tree-planner" in table.out
    assert json.loads(data.out) == [FLAG]
