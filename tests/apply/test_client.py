"""The operator's side dies, or its connections do; the host does not mind."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from emily_infra.apply.progress import Said
from emily_infra.apply.schedule import Verdict
from emily_infra.machine import UnknownHostKey, Unreachable
from tests.apply.drill import Drill
from tests.apply.world import World


@dataclass
class Watched:
    """A machine that tells each command before and after it has run."""

    world: World
    before: Callable[[str], None]
    after: Callable[[str], None] = lambda _: None
    name: str = "box"

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        word = argv[2] if len(argv) > 2 else argv[0]
        self.before(word)
        output = self.world.run(*argv, stdin=stdin, deadline=deadline)
        self.after(word)
        return output

    def close(self) -> None: ...


def nothing(_: str) -> None: ...


def killed_at(box: Drill, moment: str, word: str) -> None:
    """Run the engine in a process of its own that is killed before or after it asks WORD."""

    def die(asked: str) -> None:
        if asked == word:
            os.kill(os.getpid(), signal.SIGKILL)

    hooks = {moment: die}
    machine = Watched(box.world, hooks.get("before", nothing), hooks.get("after", nothing))
    child = os.fork()
    if child == 0:
        box.deploy(ways=box.ways(connect=lambda: machine, verify=lambda: machine))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize(
    ("moment", "word", "verdict"),
    [
        ("after", "lease", "abandoned"),
        ("before", "go", "abandoned"),
        ("after", "go", "rolled-back"),
        ("before", "hello", "rolled-back"),
        ("before", "confirm", "rolled-back"),
        ("after", "confirm", "committed"),
    ],
)
def test_a_killed_client_leaves_the_decision_to_the_host(
    box: Drill, moment: str, word: str, verdict: str
) -> None:
    killed_at(box, moment, word)

    assert box.settled() == verdict
    assert box.is_wholly("new" if verdict == "committed" else "old")


def test_a_client_killed_before_it_took_the_lock_leaves_nothing_behind(box: Drill) -> None:
    killed_at(box, "before", "lease")

    outcome = box.deploy()

    assert outcome.verdict is Verdict.COMMITTED


def test_a_connection_that_breaks_during_the_switch_is_made_anew(box: Drill) -> None:
    cut = {"until": 0.0}

    def before(word: str) -> None:
        if word == "poll" and not cut["until"] and "activating" in box.world.words:
            cut["until"] = time.monotonic() + 0.6
        if time.monotonic() < cut["until"]:
            raise Unreachable("the line is cut", hint="")

    machine = Watched(box.world, before)
    outcome = box.deploy(ways=box.ways(connect=lambda: machine, verify=lambda: machine))

    assert cut["until"]
    assert outcome.verdict is Verdict.COMMITTED


def test_old_connections_that_live_prove_nothing(box: Drill) -> None:
    def refused() -> World:
        raise Unreachable("connection refused", hint="")

    outcome = box.deploy(ways=box.ways(verify=refused))

    assert outcome.verdict is Verdict.ROLLED_BACK
    assert "no new connection can be made" in outcome.detail
    assert box.is_wholly("old")


def test_a_key_that_nobody_knows_is_not_waited_for_and_its_hint_can_be_pasted(box: Drill) -> None:
    def unknown() -> World:
        raise UnknownHostKey("the key is unknown", hint="accept:\n  echo k >> f", fingerprint="")

    begin = time.monotonic()
    outcome = box.deploy(box.order(pace=replace(box.pace, confirm=600)), box.ways(verify=unknown))

    assert time.monotonic() - begin < 60
    assert outcome.verdict is Verdict.ROLLED_BACK
    assert "the key is unknown" in outcome.detail
    assert Said("box", "  echo k >> f") in box.told


def test_a_network_that_never_comes_back_is_left_by_the_host_alone(box: Drill) -> None:
    def before(_: str) -> None:
        if "activated" in box.world.words and "rolled-back" not in box.world.words:
            raise Unreachable("no route to host", hint="")

    machine = Watched(box.world, before)
    outcome = box.deploy(ways=box.ways(connect=lambda: machine, verify=lambda: machine))

    assert outcome.verdict is Verdict.ROLLED_BACK
    assert box.is_wholly("old")


def test_an_interrupted_operator_is_told_that_the_host_decides(box: Drill) -> None:
    def before(word: str) -> None:
        if word == "hello":
            raise KeyboardInterrupt

    machine = Watched(box.world, before)
    outcome = box.deploy(ways=box.ways(connect=lambda: machine, verify=lambda: machine))

    assert outcome.verdict is Verdict.LEFT
    assert "box decides by itself, by " in outcome.detail
    assert box.settled() == "rolled-back"


def test_an_interruption_before_the_switch_calls_it_off(box: Drill) -> None:
    def interrupted(_: str, __: object) -> None:
        raise KeyboardInterrupt

    outcome = box.deploy(ways=box.ways(copy=interrupted))

    assert (outcome.verdict, outcome.exit_code) == (Verdict.NOT_BEGUN, 130)
    assert outcome.detail == "stopped by hand before the switch"
    assert box.settled() == "abandoned"
    assert box.world.switched == []
