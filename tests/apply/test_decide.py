"""What apply refuses before it begins."""

from dataclasses import replace

import pytest

from emily_infra.apply.decide import Leave, order, reboots
from emily_infra.apply.errors import Locked, Quarantined, Refused, StalePlan
from emily_infra.apply.order import Back, Kind, Order, Standing, Ticket, settings
from emily_infra.observe import Observation
from emily_infra.observe.deploys import Deploy, Deploys, Event, _settings
from emily_infra.observe.generations import Generation, Generations, System
from emily_infra.observe.identity import Identity
from emily_infra.plan.model import (
    Activation,
    Danger,
    Hazard,
    Need,
    Plan,
    Reboot,
    Step,
    Weight,
)
from emily_infra.plan.saved import identity
from tests.hosts import pebble

SEEN = Observation(
    "pebble",
    Identity(hostname="pebble", machine_id="m", boot_id="b", host_id="h"),
    Generations(System("/nix/store/old"), System("/nix/store/old"), System("/nix/store/old"), 7),
)
PLAN = Plan("pebble", identity(SEEN), "/nix/store/new", Activation.SWITCH)
PLAIN = Leave()


def went_back(new: str) -> Observation:
    record = Deploy("20261121T000000Z-a", {"NEW": new}, (Event(1, "rolled-back", {"why": "ill"}),))
    return replace(SEEN, deploys=Deploys((record,)))


def test_an_ordinary_plan_becomes_a_live_switch_with_the_hosts_own_deadlines() -> None:
    made = order(pebble(), PLAN, SEEN, PLAIN)

    assert (made.kind, made.new, made.old.generation) == (Kind.LIVE, "/nix/store/new", 7)
    assert (made.pace.activate, made.pace.confirm) == (600, 120)


def test_a_machine_that_has_rebooted_makes_a_plan_stale() -> None:
    rebooted = replace(SEEN, identity=replace(SEEN.identity, boot_id="another"))

    with pytest.raises(StalePlan, match="started again") as error:
        order(pebble(), PLAN, rebooted, PLAIN)

    assert error.value.exit_code == 6


def test_a_system_that_went_back_before_is_tried_only_on_demand() -> None:
    seen = went_back("/nix/store/new")

    with pytest.raises(Quarantined, match=r"went back .* ill"):
        order(pebble(), PLAN, seen, PLAIN)

    assert order(pebble(), PLAN, seen, Leave(again=True)).new == "/nix/store/new"
    assert order(pebble(), PLAN, went_back("/nix/store/another"), PLAIN).new == "/nix/store/new"


def test_a_reboot_needs_leave_from_the_operator_or_from_host_yaml() -> None:
    plan = replace(PLAN, activation=Activation.REBOOT, reboot=Reboot(Need.FIRST, ("its init",)))

    with pytest.raises(Refused, match="its init"):
        order(pebble(), plan, SEEN, PLAIN)

    assert order(pebble(), plan, SEEN, Leave(reboot=True)).kind is Kind.REBOOT
    assert order(pebble("deploy: {reboot: allowed}"), plan, SEEN, PLAIN).kind is Kind.REBOOT


def test_what_cannot_be_undone_takes_its_word_and_what_is_offered_is_left_out() -> None:
    add = Step("add mirror", Hazard.IRREVERSIBLE, "", (("zpool", "add"),), word="irreversible:tank")
    more = replace(add, title="upgrade", word="upgrade:tank", offered=True)
    plan = replace(PLAN, steps=(add, more))

    with pytest.raises(Refused, match="add mirror cannot be undone") as error:
        order(pebble(), plan, SEEN, PLAIN)

    assert error.value.hint.endswith("--accept irreversible:tank")
    one, both = {"irreversible:tank"}, {"irreversible:tank", "upgrade:tank"}
    assert order(pebble(), plan, SEEN, Leave(frozenset(one))).steps == (add,)
    assert order(pebble(), plan, SEEN, Leave(frozenset(both))).steps == (add, more)


def test_a_flagged_danger_is_accepted_by_its_name_and_a_stop_never() -> None:
    flagged = replace(PLAN, dangers=(Danger("wrong-host", Weight.FLAG, "it is called ember"),))
    stopped = replace(PLAN, dangers=(Danger("locked", Weight.STOP, "somebody is at work"),))

    with pytest.raises(Refused, match="called ember"):
        order(pebble(), flagged, SEEN, PLAIN)
    with pytest.raises(Locked, match="at work"):
        order(pebble(), stopped, SEEN, Leave(accepted=frozenset({"locked"})))

    assert order(pebble(), flagged, SEEN, Leave(accepted=frozenset({"wrong-host"})))


def test_the_hosts_record_reads_back_what_was_written_whoever_the_operator_is() -> None:
    who = 'o\'brien $(reboot) "x"\nline'
    text = settings(Order("b", "/n", Standing("/o", 1, "boot")), Ticket("id", who, "w", "t", "s"))

    assert _settings(text)["WHO"] == 'o\'brien $(reboot) "x" line'
    assert all(line.count("=") for line in text.splitlines())


LATER = replace(PLAN, reboot=Reboot(Need.LATER, ("kernel 6.12.1 -> 6.12.9",)))


def test_a_new_kernel_is_booted_at_once_only_where_host_yaml_allows_it() -> None:
    by_hand = order(pebble(), LATER, SEEN, PLAIN)
    allowed = order(pebble("deploy: {reboot: allowed}"), LATER, SEEN, PLAIN)

    assert (by_hand.kind, by_hand.pending) == (Kind.LIVE, "kernel 6.12.1 -> 6.12.9")
    assert (allowed.kind, allowed.pending) == (Kind.REBOOT, "")


def test_where_no_reboot_is_needed_none_is_made_though_it_is_allowed() -> None:
    assert not reboots(pebble("deploy: {reboot: allowed}"), PLAN, PLAIN)


def at(*toplevels: str, **systems: str) -> Observation:
    """A host with these generations, from 1 on, and some of its systems others than the old one."""
    listed = tuple(
        Generation(number, toplevel, 0) for number, toplevel in enumerate(toplevels, start=1)
    )
    named = {f"{name}_system": System(toplevel) for name, toplevel in systems.items()}
    return replace(SEEN, generation=replace(SEEN.generation, generations=listed, **named))  # type: ignore[arg-type]


def made_for(seen: Observation, activation: Activation) -> Plan:
    return replace(LATER, identity=identity(seen), activation=activation)


def test_a_pending_reboot_goes_back_to_what_was_booted_before() -> None:
    seen = at(
        "/nix/store/old", "/nix/store/new", current="/nix/store/new", profile="/nix/store/new"
    )
    plan = made_for(seen, Activation.NOTHING)

    made = order(pebble(), plan, seen, Leave(reboot=True))

    assert (made.kind, made.back) == (Kind.REBOOT, Back("/nix/store/old", 1))
    assert not reboots(pebble("deploy: {reboot: allowed}"), plan, PLAIN)


def test_a_pending_reboot_without_a_way_back_is_refused() -> None:
    seen = at("/nix/store/new", current="/nix/store/new", profile="/nix/store/new")

    with pytest.raises(Refused, match="booted with"):
        order(pebble(), made_for(seen, Activation.NOTHING), seen, Leave(reboot=True))


def test_a_default_that_was_made_by_hand_is_no_way_back() -> None:
    seen = at("/nix/store/old", "/nix/store/new", profile="/nix/store/new")

    made = order(pebble(), made_for(seen, Activation.SWITCH), seen, PLAIN)

    assert made.back == Back("/nix/store/old", 1)
