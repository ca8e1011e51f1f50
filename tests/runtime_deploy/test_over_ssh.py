"""`emily-infra runtime` from one end to the other: the command line, SSH, the host's own unit."""

import getpass
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from emily_infra.runtime.places import Colour
from tests.cli.command import Done, emily, project, text_of
from tests.hosts import ROOT
from tests.runtime_deploy.behind_ssh import Reached, behind_ssh
from tests.runtime_deploy.load import callers

pytestmark = pytest.mark.skipif(shutil.which("sshd") is None, reason="needs sshd")
FLAGS = "[flags.tree-planner]\nowner = 'colter'\nsince = '2026-11-22'\nshare = 5\n"


@dataclass
class Operator:
    """Whoever sits in front of the command line."""

    box: Reached
    folder: Path

    def runtime(self, *words: str) -> Done:
        """`emily-infra runtime` to its end."""
        command, *rest = words
        return emily(self.folder, "runtime", command, "pebble", *rest)

    def begins(self, *words: str) -> "subprocess.Popen[str]":
        """The same, not waited for."""
        command = [sys.executable, "-m", "emily_infra", "runtime", words[0], "pebble", *words[1:]]
        return subprocess.Popen(
            command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def cuts(self) -> None:
        """Every session of the daemon ends at once."""
        for pid in Path(f"/proc/{self.box.pid}/task/{self.box.pid}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """A project whose pebble is the host behind the daemon."""
    with behind_ssh(tmp_path) as (box, server):
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        there = f"deploy:\n  user: {getpass.getuser()}\n  address: 127.0.0.1"
        text = text_of("pebble").replace("deploy:\n  address: 192.168.1.10", there)
        port = f"system:\n  ssh: {{ port: {server.port} }}"
        project(tmp_path, pebble=text.replace("system:", port, 1))
        yield Operator(box, tmp_path)


def until(true: Callable[[], bool]) -> None:
    """Wait for what has to come."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_version_is_deployed_looked_at_and_gone_back_from(operator: Operator) -> None:
    operator.box.applies("two")

    deployed = operator.runtime("deploy", "--window", "1s")
    status = operator.runtime("status", "--json")
    logs = operator.runtime("logs")
    back = operator.runtime("rollback")

    assert (deployed.code, deployed.out) == (0, "pebble: green is no worse than blue was\n")
    assert "moves the callers from blue to green" in deployed.err
    found = json.loads(status.out)
    assert [bool(each["state"]) for each in found["colours"]] == [False, True]
    assert (found["waiting"], found["at_work"], found["last"]["verdict"]) == (False, False, "kept")
    assert "kept: green is no worse than blue was" in logs.out
    assert (back.code, back.out) == (0, "pebble: blue takes again\n")
    assert operator.box.version() == "one"


def test_flags_are_those_that_were_applied(operator: Operator) -> None:
    operator.box.applies("two")
    with Path(operator.box.places.settings).open("a") as settings:
        settings.write(FLAGS)

    before = operator.runtime("flags")
    operator.runtime("deploy", "--window", "0s")
    after = operator.runtime("flags", "--json")

    assert before.err == "pebble has no flags\n"
    (flag,) = json.loads(after.out)
    assert (flag["name"], flag["owner"], flag["share"]) == ("tree-planner", "colter", 5)


def test_a_version_that_fails_a_check_moves_nobody(operator: Operator) -> None:
    operator.box.applies("two", draws_only=90)

    with callers(operator.box.port, 2) as load:
        done = operator.runtime("deploy")

    assert done.code == 1
    assert "RUN014: pebble: nobody was moved: of 100 hypotheses" in done.err
    assert "emily-infra runtime logs pebble" in done.err
    assert operator.box.version() == "one"
    assert load.failed == {}


def test_a_version_that_fails_callers_is_gone_back_from(operator: Operator) -> None:
    operator.box.applies("two", fails_every=3)

    with callers(operator.box.port, 2):
        done = operator.runtime("deploy", "--window", "1min")

    assert done.code == 3
    assert "RUN015: pebble: the new version was worse" in done.err
    assert "requests failed" in done.err
    assert operator.box.version() == "one"


def test_a_connection_that_breaks_says_where_it_stands_and_the_next_run_goes_on(
    operator: Operator,
) -> None:
    operator.box.applies("two")
    first = operator.begins("deploy", "--window", "15s")
    until(lambda: operator.box.colours.taking() == [Colour.GREEN])
    time.sleep(1.5)

    operator.cuts()
    _, said = first.communicate(timeout=60)
    second = operator.runtime("deploy")

    assert first.returncode == 8
    assert "RUN018: pebble: the connection broke while watching; the host goes on by itself" in said
    assert "emily-infra runtime deploy pebble" in said
    assert second.code == 0
    assert "a deploy of this version is at work; follows it" in second.err
    assert operator.box.version() == "two"


def test_a_host_that_went_on_alone_is_found_done(operator: Operator) -> None:
    operator.box.applies("two")
    first = operator.begins("deploy", "--window", "1s")
    until(lambda: operator.box.colours.taking() == [Colour.GREEN])
    first.kill()
    first.communicate()
    until(lambda: not (operator.box.deploying and operator.box.deploying.is_at_work))

    second = operator.runtime("deploy")

    assert (second.code, second.out) == (0, "pebble: green runs this version already\n")
