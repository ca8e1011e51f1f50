"""Whoever deploys may be gone at any moment: one colour takes, and the next deploy goes on."""

import pytest

from emily_infra.runtime import files
from emily_infra.runtime.places import Colour
from emily_infra.runtime.record import Phase, Record, Verdict
from tests.runtime_deploy.load import callers
from tests.runtime_deploy.switching import TO_THE_END, deploy, rollback
from tests.runtime_deploy.world import CutOff, Host, host

COMMANDS = 24
"""That a deploy runs, or more."""
SOME = range(COMMANDS) if TO_THE_END else range(4, COMMANDS, 7)


def cut_after(host: Host, commands: int) -> None:
    """Nothing more is run after so many commands."""
    begun = len(host.asked)
    host.is_cut = lambda: len(host.asked) - begun >= commands


def cut_while(host: Host, phase: Phase) -> None:
    """A deploy that is cut off in a phase."""
    begun = len(host.asked)

    def is_there() -> bool:
        last = host.asked[-1] if len(host.asked) > begun else ()
        host.is_cut = lambda: False
        written = files.read(host, host.places.record, Record)
        host.is_cut = is_there
        return bool(last and written and written.phase is phase)

    host.is_cut = is_there
    with pytest.raises(CutOff):
        deploy(host)
    host.is_cut = lambda: False


@pytest.mark.parametrize("commands", SOME)
def test_one_colour_takes_and_the_next_deploy_goes_on(commands: int) -> None:
    with host() as ember, callers(ember.port, 2) as load:
        ember.applies("two")
        cut_after(ember, commands)
        with pytest.raises(CutOff):
            deploy(ember)
        ember.is_cut = lambda: False

        assert len(ember.colours.taking()) == 1
        assert deploy(ember).verdict in (Verdict.KEPT, Verdict.UNCHANGED)
        assert ember.version() == "two"
        assert len(ember.colours.taking()) == 1

    assert load.failed == {}


def test_a_version_that_was_never_moved_to_begins_again(ember: Host) -> None:
    ember.applies("two")
    cut_while(ember, Phase.CHECKING)

    assert ember.version() == "one"
    assert deploy(ember).verdict is Verdict.KEPT
    assert ember.version() == "two"


def test_a_move_that_was_cut_off_is_ended(ember: Host) -> None:
    ember.applies("two")
    cut_while(ember, Phase.MOVING)
    ember.colours.ask(Colour.GREEN, "POST", "/control/take")  # as if the host died in between

    assert ember.colours.taking() == [Colour.BLUE, Colour.GREEN]
    assert deploy(ember).verdict is Verdict.UNCHANGED
    assert ember.version() == "two"


def test_one_that_is_watched_by_nobody_can_be_gone_back_from(ember: Host) -> None:
    ember.applies("two")
    cut_while(ember, Phase.WATCHING)

    assert ember.version() == "two"
    assert rollback(ember).verdict is Verdict.WENT_BACK
    assert ember.version() == "one"


def test_one_that_fell_over_meanwhile_is_gone_back_from(ember: Host) -> None:
    ember.applies("two")
    cut_while(ember, Phase.WATCHING)
    ember.dies(Colour.GREEN)
    ember.applies("one")

    deploy(ember)

    assert ember.version() == "one"
    assert list(ember.units) == [Colour.BLUE]
