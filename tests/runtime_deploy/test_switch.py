"""What a deploy does to callers, and when it goes back; real processes behind one real socket."""

import pytest

from emily_infra.runtime.faults import NothingToGoBackTo
from emily_infra.runtime.places import Colour
from emily_infra.runtime.record import Verdict
from emily_infra.runtime.smoke import SIGNALS
from emily_infra.runtime.standing import Limits
from tests.runtime_deploy.load import callers, wrk
from tests.runtime_deploy.switching import LONG, TO_THE_END, deploy, rollback
from tests.runtime_deploy.version import SMOKE
from tests.runtime_deploy.world import Host

NOTHING_IS_GOOD_ENOUGH = Limits(p95_ms=0.0, times=0.0, enough=1)


def test_no_caller_notices_that_another_version_answers(ember: Host) -> None:
    with callers(ember.port) as load, wrk(ember.port) as heavy:
        for number in range(20 if TO_THE_END else 2):
            ember.applies(f"version-{number}")
            assert deploy(ember).verdict is Verdict.KEPT

    assert load.failed == heavy.failed == {}
    assert load.replies["200"] > 100
    assert ember.version() == f"version-{number}"


def test_no_caller_notices_that_a_version_was_too_slow(ember: Host) -> None:
    with callers(ember.port) as load, wrk(ember.port) as heavy:
        for number in range(5 if TO_THE_END else 1):
            ember.applies(f"slow-{number}")
            ended = deploy(ember, LONG, NOTHING_IS_GOOD_ENOUGH)
            assert ended.verdict is Verdict.WENT_BACK
            assert "requests took up to" in ended.why

    assert load.failed == heavy.failed == {}
    assert ember.version() == "one"


def test_a_version_that_fails_callers_is_gone_back_from(ember: Host) -> None:
    ember.applies("two", fails_every=5)

    with callers(ember.port, 2):
        ended = deploy(ember, LONG)

    assert ended.verdict is Verdict.WENT_BACK
    assert "requests failed" in ended.why
    assert ember.version() == "one"
    assert list(ember.units) == [Colour.BLUE]


def test_a_version_that_falls_over_is_gone_back_from(ember: Host) -> None:
    ember.applies("two")

    ended = deploy(ember, LONG, after_2=lambda: ember.dies(Colour.GREEN))

    assert (ended.verdict, ended.why) == (Verdict.WENT_BACK, "green does not answer")
    assert ember.version() == "one"


def test_an_old_version_that_is_gone_is_started_again_as_it_was(ember: Host) -> None:
    def both_die() -> None:
        ember.dies(Colour.BLUE)
        ember.dies(Colour.GREEN)

    ember.applies("two")

    ended = deploy(ember, LONG, after_1=both_die)

    assert ended.verdict is Verdict.WENT_BACK
    assert ember.version() == "one"


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"dies": "no such model"}, "green does not come up: no such model"),
        ({"ill": "the store is full"}, "/health answers 503"),
        ({"attends_ms": 80}, "an attention takes 8"),
        ({"draws_only": 90}, "differ; more than 90 have to"),
    ],
    ids=["no start", "ill", "slow", "collapsed"],
)
def test_no_caller_ever_meets_a_version_that_is_no_good(
    ember: Host, faults: dict[str, object], why: str
) -> None:
    ember.applies("two", **faults)

    ended = deploy(ember)

    assert ended.verdict is Verdict.FAILED
    assert why in ended.why
    assert ember.version() == "one"
    assert list(ember.units) == [Colour.BLUE]


def test_a_version_is_too_slow_beside_the_one_that_runs_where_the_machine_is(ember: Host) -> None:
    ember.applies("two", attends_ms=80, quick=SMOKE)
    deploy(ember)
    for _ in range(SMOKE):
        ember.colours.ask(Colour.GREEN, "POST", "/api/v1/attention", SIGNALS)

    ember.applies("three", attends_ms=250)
    slower = deploy(ember)
    ember.applies("four", attends_ms=80)
    alike = deploy(ember)

    assert slower.verdict is Verdict.FAILED
    assert "an attention takes 25" in slower.why
    assert alike.verdict is Verdict.KEPT


def test_a_version_that_runs_already_is_not_deployed_again(ember: Host) -> None:
    ended = deploy(ember)

    assert ended.verdict is Verdict.UNCHANGED
    assert list(ember.units) == [Colour.BLUE]


def test_the_old_version_is_kept_until_the_window_ends(ember: Host) -> None:
    seen: list[set[Colour]] = []
    ember.applies("two")

    deploy(ember, window=3.0, after_2=lambda: seen.append(set(ember.units)))

    assert seen == [{Colour.BLUE, Colour.GREEN}]
    assert set(ember.units) == {Colour.GREEN}


def test_going_back_by_hand_starts_what_ran_before(ember: Host) -> None:
    ember.applies("two")
    deploy(ember)

    with callers(ember.port, 2) as load:
        ended = rollback(ember)

    assert ended.verdict is Verdict.WENT_BACK
    assert ember.version() == "one"
    assert load.failed == {}


def test_there_is_no_way_back_to_a_version_that_was_no_good(ember: Host) -> None:
    ember.applies("two", draws_only=1)
    deploy(ember)

    with pytest.raises(NothingToGoBackTo):
        rollback(ember)

    assert ember.version() == "one"


def test_an_apply_changes_nothing_that_runs_not_even_after_a_crash(ember: Host) -> None:
    ember.applies("two")
    ember.dies(Colour.BLUE)

    ember.run("systemctl", "start", Colour.BLUE.unit)

    assert ember.version() == "one"
