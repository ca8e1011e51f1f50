"""What apply refuses before it begins."""

from dataclasses import replace

import pytest

from emily_infra.apply.decide import Leave, order
from emily_infra.apply.errors import Quarantined, Refused, StalePlan
from emily_infra.apply.order import Kind, Order, Standing, Ticket, settings
from emily_infra.observe import Observation
from emily_infra.observe.deploys import Deploy, Deploys, Event, _settings
from emily_infra.observe.generations import Generations, System
from emily_infra.observe.identity import Identity
from emily_infra.plan.model import Activation, Danger, Need, Plan, Reboot, Weight
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


def test_a_flagged_danger_is_accepted_by_its_name_and_a_stop_never() -> None:
    flagged = replace(PLAN, dangers=(Danger("wrong-host", Weight.FLAG, "it is called ember"),))
    stopped = replace(PLAN, dangers=(Danger("locked", Weight.STOP, "somebody is at work"),))

    with pytest.raises(Refused, match="called ember"):
        order(pebble(), flagged, SEEN, PLAIN)
    with pytest.raises(Refused, match="at work"):
        order(pebble(), stopped, SEEN, Leave(accepted=frozenset({"locked"})))

    assert order(pebble(), flagged, SEEN, Leave(accepted=frozenset({"wrong-host"})))


def test_the_hosts_record_reads_back_what_was_written_whoever_the_operator_is() -> None:
    who = 'o\'brien $(reboot) "x"\nline'
    text = settings(Order("b", "/n", Standing("/o", 1, "boot")), Ticket("id", who, "w", "t", "s"))

    assert _settings(text)["WHO"] == 'o\'brien $(reboot) "x" line'
    assert all(line.count("=") for line in text.splitlines())
