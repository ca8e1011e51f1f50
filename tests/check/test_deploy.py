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
