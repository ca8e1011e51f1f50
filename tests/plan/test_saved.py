"""A plan in a file."""

import json
from dataclasses import replace
from typing import Any

import pytest

from emily_infra.errors import EmilyError
from emily_infra.observe import Observation
from emily_infra.plan import Activation, digest, from_json, meant_for, stale, to_json
from emily_infra.plan import plan as planned
from tests.hosts import pebble, shipped
from tests.plan.machines import between, built, means, running, with_nix

MADE = between(pebble(), pebble("samba: null"))
SEEN = running(pebble())


def refused(text: str) -> str:
    with pytest.raises(EmilyError) as error:
        from_json(text, "ember.plan")
    return f"{error.value.code}: {error.value}"


def moved(part: str, **other: Any) -> Observation:
    return replace(SEEN, **{part: replace(getattr(SEEN, part), **other)})


def test_a_plan_comes_back_as_it_was() -> None:
    made = with_nix(shipped("ember"), pebble(name="ember"))

    assert from_json(to_json(made), "file") == made


def test_the_file_alone_says_whether_there_is_something_to_do() -> None:
    nothing = planned(pebble(), built(pebble()), running(pebble(), mark="b"), means())

    assert json.loads(to_json(MADE))["noop"] is False
    assert json.loads(to_json(nothing))["noop"] is True


def test_the_same_plan_has_the_same_digest_and_another_has_not() -> None:
    again = between(pebble(), pebble("samba: null"))

    assert digest(again) == digest(MADE)
    assert digest(replace(MADE, toplevel="/nix/store/other")) != digest(MADE)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", "{}", to_json(MADE)[:-20], '{"kind": "emily-infra plan"}',
     to_json(MADE).replace("emily-infra plan", "tofu plan")],
)  # fmt: skip
def test_what_is_no_plan_is_refused(text: str) -> None:
    assert refused(text).startswith("PLN001: ember.plan: ")


def test_a_plan_that_was_edited_is_refused() -> None:
    text = to_json(MADE).replace(MADE.toplevel, MADE.toplevel.replace("b", "c"))

    assert refused(text) == "PLN001: ember.plan: it was changed after it was made"


def test_a_plan_of_a_newer_version_is_refused_by_name() -> None:
    text = to_json(MADE).replace('"version": 1', '"version": 2')

    assert refused(text).startswith("PLN002: ember.plan is a plan of version 2")


def test_a_plan_for_another_host_is_refused() -> None:
    with pytest.raises(EmilyError, match="the plan is for pebble, not for ember") as error:
        meant_for(MADE, "ember")

    assert error.value.code == "PLN003"


def test_a_plan_holds_as_long_as_nothing_moves() -> None:
    assert stale(MADE, SEEN) == ()


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (moved("identity", machine_id="other"), "another machine"),
        (moved("identity", boot_id="other"), "started again"),
        (moved("identity", host_id="00000001"), "hostId"),
        (moved("generation", number=8), "another generation: 7 then, 8 now"),
        (moved("generation", current_system=built(pebble()).system), "another system is running"),
        (moved("generation", profile_system=built(pebble()).system), "profile leads elsewhere"),
    ],
)
def test_a_plan_is_stale_when_something_moved(seen: Observation, reason: str) -> None:
    (found,) = stale(MADE, seen)

    assert reason in found


def test_what_runs_and_is_not_yet_the_default_is_only_committed() -> None:
    seen = running(pebble(), mark="b")
    profile = running(pebble()).generation.profile_system
    seen = replace(seen, generation=replace(seen.generation, profile_system=profile))

    made = planned(pebble(), built(pebble()), seen, means())

    assert made.activation is Activation.COMMIT
    assert not made.is_noop
