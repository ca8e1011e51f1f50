"""When a switch is not enough."""

from dataclasses import replace
from typing import Any

from emily_infra.observe import Observation
from emily_infra.observe.generations import System
from emily_infra.plan import Activation, Built, Need
from emily_infra.plan import plan as planned
from emily_infra.plan.reboot import reboot
from tests.hosts import pebble
from tests.plan.machines import between, built, means, running

RENAMED = """
network:
  uplinks: { lan: null, wan: { mac: "52:54:00:00:00:10" } }
  zones: { home: { on: wan } }
"""


def with_system(**other: Any) -> Built:
    made = built(pebble())
    return replace(made, system=replace(made.system, **other))


def now_is(seen: Observation, **other: Any) -> Observation:
    current = replace(seen.generation.current_system, **other)
    return replace(seen, generation=replace(seen.generation, current_system=current))


def test_the_same_kernel_needs_no_reboot() -> None:
    assert reboot(pebble().spec, built(pebble()), running(pebble())).need is Need.NO


def test_another_kernel_counts_from_the_next_boot_on() -> None:
    other = "/nix/store/" + "l" * 32 + "-linux-6.12.34/bzImage"

    found = reboot(pebble().spec, with_system(kernel=other), running(pebble()))

    assert (found.need, found.reasons) == (Need.LATER, ("kernel 6.12.30 -> 6.12.34",))


def test_kernel_parameters_are_told_word_by_word() -> None:
    found = reboot(pebble().spec, with_system(params="panic=30 quiet"), running(pebble()))

    assert found.reasons == ("kernel parameters: -loglevel=4 +quiet",)


def test_what_is_compared_is_what_was_booted_not_what_was_switched_to() -> None:
    seen = running(pebble())
    booted = System(toplevel="/nix/store/old", kernel="/nix/store/old-linux-6.6.1/bzImage")
    seen = replace(seen, generation=replace(seen.generation, booted_system=booted))

    assert reboot(pebble().spec, built(pebble()), seen).need is Need.LATER


def test_another_init_interface_can_only_be_booted_into() -> None:
    assert reboot(pebble().spec, with_system(interface="3"), running(pebble())).need is Need.FIRST


def test_a_switch_inhibitor_that_changes_can_only_be_booted_into() -> None:
    seen = now_is(running(pebble()), inhibitors={"dbus": "dbus-daemon"})

    found = reboot(pebble().spec, with_system(inhibitors={"dbus": "dbus-broker"}), seen)

    assert found.need is Need.FIRST
    assert "dbus" in found.reasons[0]


def test_an_inhibitor_that_only_one_side_has_stops_nothing() -> None:
    found = reboot(pebble().spec, with_system(inhibitors={"dbus": "x"}), running(pebble()))

    assert found.need is Need.NO


def test_a_card_with_a_new_name_can_only_be_booted_into() -> None:
    made = between(pebble(), pebble(RENAMED))

    assert made.activation is Activation.REBOOT
    assert "52:54:00:00:00:10 is called lan until the next boot" in made.reboot.reasons[0]


def test_zfs_programs_of_another_release_than_the_module_are_told() -> None:
    user = "/nix/store/" + "v" * 32 + "-zfs-user-2.5.0"

    found = reboot(pebble().spec, replace(built(pebble()), closure={user: 1}), running(pebble()))

    assert found.reasons == ("ZFS programs 2.5.0 would run with the module 2.4.1 until then",)


def test_a_system_that_runs_already_is_never_said_to_need_a_boot_first() -> None:
    seen = running(pebble(), mark="b")
    cards = tuple(replace(card, name="eth0") for card in seen.network.interfaces)
    seen = replace(seen, network=replace(seen.network, interfaces=cards))

    made = planned(pebble(), built(pebble()), seen, means())

    assert made.is_noop
    assert made.reboot.need is Need.LATER
