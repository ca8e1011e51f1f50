"""Whom a command is for, and what is to be typed next for the same one."""

import pytest

from emily_infra.apply.health import Before
from emily_infra.cli.deploying import well
from emily_infra.cli.reach import Where, addressed, pasteable
from emily_infra.machine import Target
from tests.hosts import pebble
from tests.machine.sshd import free_port

LAB, VIA = Where(lab=True), Where(via="10.0.0.9:2022")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "see: emily-infra history pebble 2026-a; then change something",
            "see: emily-infra history pebble --lab 2026-a; then change something",
        ),
        (
            "emily-infra apply pebble --reboot, or deploy.reboot: allowed",
            "emily-infra apply pebble --lab --reboot, or deploy.reboot: allowed",
        ),
        ("emily-infra plan pebble --lab", "emily-infra plan pebble --lab"),
        (
            "list them: emily-infra disk list pebble; emily-infra storage create pebble tank",
            "list them: emily-infra disk list pebble --lab; "
            "emily-infra storage create pebble --lab tank",
        ),
        ("emily-infra render pebble && git diff", "emily-infra render pebble && git diff"),
        ("emily-infra lab up pebble", "emily-infra lab up pebble"),
    ],
)
def test_a_hint_leads_to_the_lab_where_the_lab_was_meant(text: str, said: str) -> None:
    assert LAB.said(text) == said
    assert LAB.said(LAB.said(text)) == said
    assert Where().said(text) == text


def test_a_command_for_the_machine_goes_the_way_that_led_there() -> None:
    assert pasteable(pebble(), ("reboot",), VIA) == "ssh -p 2022 root@10.0.0.9 reboot"
    assert pasteable(pebble(), ("reboot",), LAB) == "emily-infra lab ssh pebble -- reboot"
    assert pasteable(pebble(), ("emily-infra", "apply", "pebble", "--reboot"), VIA) == (
        "emily-infra apply pebble --via 10.0.0.9:2022 --reboot"
    )


def test_once_a_change_is_confirmed_the_host_is_where_host_yaml_says() -> None:
    assert VIA.afterwards == Where()
    assert LAB.afterwards == LAB


def test_a_host_that_is_done_and_does_not_answer_is_out_of_reach() -> None:
    nobody = Target("pebble", "127.0.0.1", "root", free_port())

    found = well(pebble(), nobody, Before())

    assert found.exit_code == 8, found


@pytest.mark.parametrize(
    ("text", "user", "address", "port"),
    [("192.168.1.77", "root", "192.168.1.77", None), ("box:2222", "root", "box", 2222),
     ("nixos@box", "nixos", "box", None), ("[fd00::7]:22", "root", "fd00::7", 22),
     ("fd00::7", "root", "fd00::7", None)],
)  # fmt: skip
def test_an_installer_is_root_at_an_address_of_its_own(
    text: str, user: str, address: str, port: int | None
) -> None:
    found = addressed(pebble(), text)

    assert (found.name, found.user, found.address, found.port) == ("pebble", user, address, port)
