"""An order from elsewhere: the host carries it out, whether or not anybody still listens."""

import pytest

from emily_infra.runtime import files
from emily_infra.runtime.colours import Colours
from emily_infra.runtime.faults import UnderWay
from emily_infra.runtime.order import Kind, Order
from emily_infra.runtime.ordering import UNIT, Ordering
from emily_infra.runtime.overview import asked_for, overview
from emily_infra.runtime.places import Colour
from emily_infra.runtime.record import Record, Verdict
from emily_infra.runtime.verdicts import trouble
from tests.runtime_deploy.looks import Looks
from tests.runtime_deploy.switching import LONG, deploy
from tests.runtime_deploy.world import Host

heard: list[str] = []


def ordering(host: Host) -> Ordering:
    heard.clear()
    return Ordering(host, Looks(), heard.append, host.places)


def ordered(host: Host, order: Order) -> Record:
    line = ordering(host)
    line.give(order)
    return line.follow(order)


def test_whoever_orders_hears_what_the_host_does(ember: Host) -> None:
    ember.applies("two")

    ended = ordered(ember, Order(id="a", window=2))

    assert ended.verdict is Verdict.KEPT
    assert ember.version() == "two"
    assert heard[0].endswith("store/two as green")
    assert heard[-1] == "kept: green is no worse than blue was"


def test_another_version_has_to_wait(ember: Host) -> None:
    ember.applies("two")
    ordering(ember).give(Order(id="a", window=LONG))
    while ember.colours.taking() != [Colour.GREEN]:
        pass
    ember.applies("three")

    with pytest.raises(UnderWay):
        ordering(ember).give(Order(id="b"))


def test_who_deploys_the_same_version_again_follows_it(ember: Host) -> None:
    ember.applies("two")
    ordering(ember).give(Order(id="a", window=3))
    line = ordering(ember)

    followed = line.give(Order(id="b"))

    assert followed.id == "a"
    assert line.follow(followed).verdict is Verdict.KEPT
    assert heard[0] == "a deploy of this version is at work; follows it"


def test_a_way_back_has_no_version_to_follow(ember: Host) -> None:
    ember.applies("two")
    deploy(ember)
    files.write(ember, ember.places.order, Order(id="a", kind=Kind.ROLLBACK))
    ember.run("systemctl", "start", "--no-block", UNIT)

    with pytest.raises(UnderWay):
        ordering(ember).give(Order(id="b"))


def test_going_back_ends_a_deploy_that_is_at_work(ember: Host) -> None:
    ember.applies("two")
    ordering(ember).give(Order(id="a", window=LONG))
    while ember.colours.taking() != [Colour.GREEN]:
        pass

    ended = ordered(ember, Order(id="b", kind=Kind.ROLLBACK))

    assert ended.verdict is Verdict.WENT_BACK
    assert ember.version() == "one"


def test_what_cannot_be_done_is_said_with_what_to_do(ember: Host) -> None:
    ended = ordered(ember, Order(id="a", kind=Kind.ROLLBACK))
    error = trouble("ember", ended)

    assert error is not None
    assert "only blue has ever run" in str(error)
    assert error.hint == "emily-infra runtime status ember"


def test_a_host_says_which_colour_takes_and_what_lies_ready(ember: Host) -> None:
    ember.applies("two")

    before = overview(ember.colours)
    deploy(ember)
    after = overview(ember.colours)

    assert [bool(each.state) for each in before.colours] == [True, False]
    assert (before.waiting, after.waiting) == (True, False)
    assert after.last is not None
    assert after.last.verdict is Verdict.KEPT


def test_the_flags_are_those_of_the_colour_that_takes(ember: Host) -> None:
    assert asked_for(Colours(ember, ember.places), Colour.BLUE, "/api/v1/flags") == []
