"""Whether the operators' door stays open."""

import pytest

from tests.hosts import codes, findings, over, pebble, shipped


def locked_out(part: str) -> list[str]:
    """What the rule says of pebble with a part laid over it."""
    return [f.message for f in findings(pebble(part)) if f.code == "NET006"]


@pytest.mark.parametrize("name", ["ember", "pebble"])
def test_the_shipped_hosts_let_their_operators_in(name: str) -> None:
    assert [f for f in findings(shipped(name)) if f.code in ("NET006", "NET008")] == []


def test_an_operator_far_away_comes_in_by_the_zone_with_the_gateway() -> None:
    part = "deploy: { operators: [203.0.113.0/24] }"

    assert locked_out(part) == []
    assert locked_out(part + "\nnetwork: { zones: { home: { gateway: null } } }") == [
        "nobody in 203.0.113.0/24 can reach the host: no zone holds it and none leads outside"
    ]


def test_an_ipv6_operator_does_not_come_in_by_an_ipv4_gateway() -> None:
    assert locked_out('deploy: { operators: ["2001:db8::/64"] }') != []


def test_a_wide_network_must_be_let_in_from_every_zone_it_touches() -> None:
    part = """
deploy: { operators: [192.168.0.0/16] }
network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } }
"""

    assert locked_out(part) == [
        "192.168.0.0/16 comes in by zone lab, which may not reach SSH (tcp 22)"
    ]


def test_the_port_counts_and_not_the_name() -> None:
    moved = "network: { services: { ssh: { tcp: [2200] } } }"

    assert locked_out(moved) != []
    assert locked_out(moved + "\nsystem: { ssh: { port: 2200 } }") == []


def test_the_operator_beyond_a_tunnel_needs_a_line_of_his_own() -> None:
    part = "network: { allow: [{ from: management, to: host, services: [ssh] }] }"
    found = [f for f in findings(over(shipped("ember"), part)) if f.code == "NET006"]

    assert [(f.place, f.hint) for f in found] == [
        (
            ("deploy", "operators", 1),
            "add to network.allow: - { from: minnesota, to: host, services: [ssh] }",
        )
    ]


@pytest.mark.parametrize(
    ("part", "fires"),
    [
        ("deploy: { address: 192.168.1.11 }", True),
        ("deploy: { address: 192.168.1.11 }\n"
         "network: { zones: { home: { address: dhcp, gateway: null } } }", False),
        ('deploy: { address: "fd00::9" }\n'
         "network: { zones: { home: { address: dhcp, gateway: null } } }", True),
        ('deploy: { address: "fd00::9" }\nnetwork: { zones: { home: { address6: auto } } }', False),
    ],
)  # fmt: skip
def test_the_address_is_the_hosts_own_or_a_learned_one(part: str, *, fires: bool) -> None:
    assert any(f.code == "NET008" for f in findings(pebble(part))) is fires


@pytest.mark.parametrize(
    ("address", "refused"), [("192.168.1.11", True), ("192.168.1.10", False), ("10.7.0.9", False)]
)
def test_an_address_in_a_fixed_network_was_not_learned_elsewhere(
    address: str, *, refused: bool
) -> None:
    host = pebble(f"""
deploy: {{ address: {address} }}
network: {{ zones: {{ lab: {{ on: lan, vlan: 7, address: dhcp }} }} }}
""")

    assert ("NET008" in codes(host)) is refused


def checked(part: str) -> list[tuple[str, str]]:
    """Code and message of what is said about pebble's own checks."""
    own = f"deploy: {{ {part} }}"
    return [(f.code, f.message) for f in findings(pebble(own)) if f.code.startswith("DEP")]


@pytest.mark.parametrize(
    ("confirm", "deadline", "fires"),
    [("2min", "105s", False), ("2min", "106s", True), ("30s", "15s", False), ("30s", "16s", True)],
)
def test_a_deadline_leaves_15_seconds_to_say_that_all_is_well(
    confirm: str, deadline: str, *, fires: bool
) -> None:
    own = f"a: {{ command: [x], interval: 1s, deadline: {deadline} }}"

    said = checked(f"confirm_within: {confirm}, checks: {{ {own} }}")

    assert [code for code, _ in said] == (["DEP001"] if fires else [])


def test_the_hint_for_a_long_check_names_both_ways_out() -> None:
    part = "deploy: { checks: { a: { command: [x], deadline: 5min } } }"
    (found,) = [f for f in findings(pebble(part)) if f.code == "DEP001"]

    assert found.message == "a may take 5min; with confirm_within: 2min there is time for 105s"
    assert found.hint == "write deadline: 105s here, or deploy.confirm_within: 315s"


def test_only_a_tag_that_some_host_is_called_is_wrong() -> None:
    fleet = [pebble("deploy: { tags: [small, ember] }"), shipped("ember")]

    assert [f.message for f in findings(*fleet) if f.code == "DEP002"] == [
        "ember is the name of a host, and a tag of pebble"
    ]


@pytest.mark.parametrize(
    ("command", "fires"),
    [
        ('["curl -f http://localhost"]', True),
        ('[cat, /run/a, "|", grep, b]', True),
        ('[test, -e, /a, "&&", test, -e, /b]', True),
        ('[sh, -c, "test -e /a && test -e /b"]', False),
        ('[/bin/sh, -c, x, "|"]', False),
        ('[grep, "a | b", /run/a]', False),
    ],
)
def test_a_command_that_only_a_shell_would_understand_is_refused(
    command: str, *, fires: bool
) -> None:
    said = checked(f"checks: {{ a: {{ command: {command} }} }}")

    assert [code for code, _ in said] == (["DEP003"] if fires else [])


@pytest.mark.parametrize(
    ("times", "fires"),
    [
        ("interval: 5s, deadline: 5s", True),
        ("interval: 5s, deadline: 6s", False),
        ("grace: 30s, interval: 10s, deadline: 40s", True),
        ("grace: 30s, interval: 10s, deadline: 41s", False),
    ],
)
def test_a_check_must_be_able_to_succeed_twice(times: str, *, fires: bool) -> None:
    said = checked(f"checks: {{ a: {{ command: [x], {times} }} }}")

    assert [code for code, _ in said] == (["DEP004"] if fires else [])


@pytest.mark.parametrize(("within", "fires"), [("59s", True), ("1min", False)])
def test_a_way_in_by_tunnel_needs_a_minute(within: str, *, fires: bool) -> None:
    host = over(shipped("ember"), f"deploy: {{ address: 10.0.0.2, confirm_within: {within} }}")

    assert ("DEP005" in codes(host)) is fires
