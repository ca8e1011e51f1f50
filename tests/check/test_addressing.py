"""Boundaries of the rules about cards, VLANs and addresses."""

import pytest

from tests.hosts import codes, findings, pebble


def home(text: str) -> str:
    """A part that gives pebble's only zone other addresses."""
    gateway = "" if "gateway:" in text else "gateway: null,"
    return f"network: {{ zones: {{ home: {{ {gateway} {text} }} }} }}"


@pytest.mark.parametrize(
    ("zone", "fires"),
    [
        ("address: 192.168.1.0/24", True),
        ("address: 192.168.1.255/24", True),
        ("address: 192.168.1.254/24", False),
        ("address: 192.168.1.0/31", False),
        ("address: 192.168.1.10/32", False),
        ("address: 127.0.0.5/8", True),
        ("address: 224.0.0.5/24", True),
        ('address6: "fd00::/64"', True),
        ('address6: "fd00::1/64"', False),
        ('address6: "fd00::ffff:ffff:ffff:ffff/64"', False),
        ('address6: "fd00::/127"', False),
        ("gateway: 192.168.1.10", True),
        ("gateway: 192.168.1.255", True),
        ("gateway: 192.168.2.1", True),
        ("gateway: 192.168.1.1", False),
        ('gateway6: "fe80::1"', True),
        ('address6: "fd00::1/64", gateway6: "fe80::1"', False),
        ('address6: "fd00::1/64", gateway6: "fd01::1"', True),
    ],
)
def test_an_address_can_be_a_machines(zone: str, *, fires: bool) -> None:
    assert ("NET003" in codes(pebble(home(zone)))) is fires


def test_a_tunnels_address_can_be_a_machines_too() -> None:
    part = """
wireguard:
  wg0:
    address: 10.9.0.255/24
    private_key: secret:w
    peers:
      far:
        public_key: DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=
        allowed_ips: [10.9.0.1/32]
"""

    found = [f.place for f in findings(pebble(part)) if f.code == "NET003"]

    assert found == [("wireguard", "wg0", "address")]


@pytest.mark.parametrize(
    ("address", "fires"),
    [("192.168.0.2/23", True), ("192.168.2.2/24", False), ("192.168.1.130/25", True)],
)
def test_zones_overlap_where_one_address_is_in_both(address: str, *, fires: bool) -> None:
    part = f"network: {{ zones: {{ lab: {{ on: lan, vlan: 7, address: {address} }} }} }}"

    assert ("NET004" in codes(pebble(part))) is fires


def test_one_vlan_id_on_two_uplinks_would_be_one_interface() -> None:
    part = """
network:
  uplinks: { lan2: { mac: "52:54:00:00:00:11" } }
  zones:
    lab: { on: lan, vlan: 7, address: 192.168.7.2/24 }
    bench: { on: lan2, vlan: 7, address: 192.168.8.2/24 }
"""

    found = [f.message for f in findings(pebble(part)) if f.code == "NET005"]

    assert found == ["lab and bench are both on the interface vlan7"]


@pytest.mark.parametrize(
    ("lab", "fires"),
    [
        ("address: dhcp", True),
        ("address: 192.168.7.2/24, gateway: 192.168.7.1", True),
        ("address: 192.168.7.2/24", False),
        ("address6: auto", False),
        ('address6: "fd00:7::2/64", gateway6: "fd00:7::1"', False),
    ],
)
def test_each_ip_version_has_one_way_out(lab: str, *, fires: bool) -> None:
    part = f"network: {{ zones: {{ lab: {{ on: lan, vlan: 7, {lab} }} }} }}"

    assert ("NET012" in codes(pebble(part))) is fires


def test_two_hosts_may_have_one_vlan_id_for_two_ip_versions() -> None:
    part = "network: { zones: { lab: { on: lan, vlan: 7, %s } } }"
    one = pebble(part % "address: 192.168.7.2/24", "one")
    two = pebble(part % 'address6: "fd00:7::2/64"', "two")

    assert "NET017" not in codes(one, two)


def test_each_of_two_hosts_hears_that_they_have_one_address() -> None:
    found = [f for f in findings(pebble("", "one"), pebble("", "two")) if f.code == "NET016"]

    assert [(f.host, f.message) for f in found] == [
        ("one", "192.168.1.10 is an address of two too"),
        ("two", "192.168.1.10 is an address of one too"),
    ]


def test_an_address_of_a_host_in_two_of_its_zones_is_no_matter_of_the_fleet() -> None:
    twice = "network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.1.10/24 } } }"

    assert "NET016" not in codes(pebble(twice))


@pytest.mark.parametrize("code", ["NET009", "NET019"])
def test_a_tunnel_and_an_uplink_have_names_of_their_own(code: str) -> None:
    part = """
network: { zones: { far: { wireguard: wg9 } } }
wireguard:
  lan:
    address: 10.9.0.2/24
    private_key: secret:w
    peers:
      far:
        public_key: DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=
        allowed_ips: [10.9.0.1/32]
"""

    assert code in codes(pebble(part))
