"""What cannot be undone is asked for by the pool's name, and by nothing else."""

import os
import pty
import sys
from dataclasses import replace

import pytest
import typer

from emily_infra.apply.decide import Leave
from emily_infra.apply.errors import Refused
from emily_infra.cli.deploying import at_best, with_word
from emily_infra.cli.preparing import Ready
from emily_infra.plan import Hazard, Step, plan
from emily_infra.plan.model import Danger, Plan, Weight
from tests.hosts import pebble
from tests.plan.machines import built, means, running

ADD = Step("add mirror c d to tank", Hazard.IRREVERSIBLE, "for good", word="irreversible:tank")
OFFER = replace(ADD, title="enable features", word="upgrade:tank", offered=True)
PLAIN = Leave()


def ready(*steps: Step, dangers: tuple[Danger, ...] = ()) -> Ready:
    seen = running(pebble())
    made: Plan = plan(pebble(), built(pebble()), seen, means())
    return Ready(pebble(), replace(made, steps=steps, dangers=dangers), seen, pebble())


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> "Typing":
    return Typing(monkeypatch)


class Typing:
    """Somebody at a terminal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        monkeypatch.setattr(sys, "stdin", os.fdopen(theirs))

    def __call__(self, text: str) -> None:
        os.write(self._ours, f"{text}\n".encode())


def test_the_name_of_the_pool_is_the_word(
    typing: Typing, capsys: pytest.CaptureFixture[str]
) -> None:
    typing("tank")

    leave = with_word(ready(ADD), PLAIN)

    assert leave.accepted == {"irreversible:tank"}
    assert "add mirror c d to tank" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["yes", "", "tan", "irreversible:tank"])
def test_nothing_else_is(typing: Typing, text: str) -> None:
    typing(text)

    with pytest.raises(typer.Abort):
        with_word(ready(ADD), PLAIN)


def test_who_has_said_it_beforehand_and_what_is_only_offered_is_not_asked_about() -> None:
    said = Leave(frozenset({"irreversible:tank"}))

    assert with_word(ready(ADD), said) == said
    assert with_word(ready(OFFER), PLAIN) == PLAIN


def test_without_a_terminal_the_plan_is_refused() -> None:
    with pytest.raises(Refused, match="cannot be undone"):
        with_word(ready(ADD), PLAIN)


@pytest.mark.usefixtures("typing")
def test_what_a_terminal_may_yet_be_asked_for_is_no_reason_to_refuse() -> None:
    assert at_best(ready(ADD, OFFER), PLAIN).accepted == {"irreversible:tank"}


def test_without_a_terminal_nothing_may_yet_be_asked_for() -> None:
    assert at_best(ready(ADD), PLAIN) == PLAIN


@pytest.mark.usefixtures("typing")
def test_what_stands_against_it_anyway_is_said_before_the_question() -> None:
    stop = Danger("no-room", Weight.STOP, "the disk is full")

    with pytest.raises(Refused, match="no-room"):
        with_word(ready(ADD, dangers=(stop,)), PLAIN)
