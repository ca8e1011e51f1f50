"""Many hosts at once, with real threads; the order of things is tested in test_schedule."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from emily_infra.apply.clock import Monotonic
from emily_infra.apply.errors import Locked
from emily_infra.apply.fleet import Acts, Began, Ended, Event, Soaking, Stopped, apply
from emily_infra.apply.schedule import Limits, Outcome, Policy, Stage, Verdict
from emily_infra.spec.host import Host
from tests.hosts import pebble

FLEET = {name: pebble(name=name) for name in "abcd"}
COMMITTED = Outcome(Verdict.COMMITTED)
PATIENCE = 20.0


def committed(_: Host) -> Outcome:
    return COMMITTED


def run(
    batches: list[str], acts: Acts, policy: Policy | None = None
) -> tuple[dict[str, Outcome], list[Event]]:
    """Outcomes by host, and everything that was said on the way."""
    said: list[Event] = []
    hosts = [[FLEET[name] for name in batch] for batch in batches]
    return apply(hosts, acts, policy or Policy(), said.append), said


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_every_host_goes_through_its_stages_in_order() -> None:
    passed: list[tuple[str, Stage]] = []

    def note(stage: Stage, outcome: Outcome | None) -> Callable[[Host], Outcome | None]:
        def act(host: Host) -> Outcome | None:
            passed.append((host.name, stage))
            return outcome

        return act

    stages = (Stage.BUILD, Stage.COPY)
    acts = {stage: note(stage, None) for stage in stages}
    outcomes, said = run(["ab"], acts | {Stage.ACTIVATE: note(Stage.ACTIVATE, COMMITTED)})

    assert outcomes == {"a": COMMITTED, "b": COMMITTED}
    assert [stage for host, stage in passed if host == "a"] == [*stages, Stage.ACTIVATE]
    assert [e for e in said if isinstance(e, Ended) and e.host == "a"] == [Ended("a", COMMITTED)]


def test_hosts_of_a_batch_are_activated_at_the_same_time() -> None:
    together = threading.Barrier(4, timeout=PATIENCE)

    def act(_: Host) -> Outcome:
        together.wait()
        return COMMITTED

    outcomes, _ = run(["abcd"], {Stage.ACTIVATE: act}, Policy(Limits(activate=4)))

    assert set(outcomes.values()) == {COMMITTED}


def test_an_error_before_any_change_is_an_outcome_with_its_hint() -> None:
    def act(host: Host) -> Outcome | None:
        if host.name == "b":
            raise Locked("jihyun is deploying", hint="wait")
        return None

    outcomes, said = run(["a", "b", "c"], {Stage.COPY: act, Stage.ACTIVATE: committed})

    assert outcomes["b"] == Outcome(Verdict.FAILED, "jihyun is deploying\nhint: wait", 7)
    assert outcomes["c"].verdict in (Verdict.NOT_BEGUN, Verdict.COMMITTED)
    assert any(isinstance(event, Stopped) for event in said)


def test_a_bug_is_raised_when_the_others_are_through() -> None:
    begun, going = threading.Event(), threading.Event()
    ended: list[str] = []

    def act(host: Host) -> Outcome:
        if host.name == "a":
            begun.wait(PATIENCE)
            going.set()
            raise ZeroDivisionError
        begun.set()
        going.wait(PATIENCE)
        ended.append(host.name)
        return COMMITTED

    with pytest.raises(ZeroDivisionError):
        run(["ab"], {Stage.ACTIVATE: act})

    assert ended == ["b"]


def test_an_interrupt_lets_hosts_finish_that_have_begun() -> None:
    stopped = threading.Event()
    said: list[Event] = []

    def act(_: Host) -> Outcome:
        interrupt()
        stopped.wait(PATIENCE)
        return COMMITTED

    def told(event: Event) -> None:
        said.append(event)
        if isinstance(event, Stopped):
            stopped.set()

    outcomes = apply([[FLEET["a"]], [FLEET["b"]]], {Stage.ACTIVATE: act}, Policy(), told)

    assert outcomes["a"] == COMMITTED
    assert outcomes["b"].verdict is Verdict.NOT_BEGUN
    assert Stopped("interrupted by hand", ("a",)) in said
    assert Began("b", Stage.ACTIVATE) not in said


def test_a_second_interrupt_leaves_a_host_to_its_own_guard() -> None:
    stopped, release = threading.Event(), threading.Event()
    before = signal.getsignal(signal.SIGINT)
    said: list[Event] = []

    def hang(_: Host) -> Outcome:
        interrupt()
        stopped.wait(PATIENCE)
        interrupt()
        release.wait(PATIENCE)
        return COMMITTED

    def told(event: Event) -> None:
        said.append(event)
        if isinstance(event, Stopped):
            stopped.set()

    outcomes = apply([[FLEET["a"]]], {Stage.ACTIVATE: hang}, Policy(), told)
    release.set()

    assert outcomes["a"].verdict is Verdict.LEFT
    assert next(e for e in said if isinstance(e, Stopped)).running == ("a",)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_soak_is_said_and_its_second_look_can_end_the_run() -> None:
    def ill(_: Host) -> Outcome:
        return Outcome(Verdict.UNHEALTHY, "pool tank is DEGRADED")

    acts: Acts = {Stage.ACTIVATE: committed, Stage.RECHECK: ill}
    outcomes, said = run(["a", "b"], acts, Policy(soak=0.05))

    assert [e.hosts for e in said if isinstance(e, Soaking)] == [("a",)]
    assert outcomes["a"].detail == "pool tank is DEGRADED"
    assert outcomes["b"].verdict is Verdict.NOT_BEGUN


def test_a_soak_lasts_as_long_as_it_was_asked_for() -> None:
    clock = Monotonic()
    begin = clock.now()

    run(["a", "b"], {Stage.ACTIVATE: committed}, Policy(soak=0.3))

    assert clock.now() - begin >= 0.3


def test_nobody_to_deploy_to_is_no_trouble() -> None:
    assert run([], {Stage.ACTIVATE: committed})[0] == {}
