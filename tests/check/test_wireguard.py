"""Boundaries of the rules about tunnels."""

import pytest

from tests.hosts import codes, findings, pebble

SITE = "DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E="
CABIN = "5ST5QOMoTMlzLVxOmnhsnBbu0jzBBRfXGLKT5xx2CHo="


def tunnel(allowed: str, more: str = "", settings: str = "") -> str:
    """A part with one tunnel to one peer."""
    peer = f"{{ public_key: {SITE}, allowed_ips: [{allowed}], {more} }}"
    body = f"address: 10.9.0.2/24, private_key: 'secret:w', {settings} peers: {{ site: {peer} }}"
    return (
        f"network: {{ zones: {{ far: {{ wireguard: wg0 }} }} }}\nwireguard: {{ wg0: {{ {body} }} }}"
    )


@pytest.mark.parametrize(
    ("allowed", "fires"),
    [
        ("10.9.0.0/24", False),
        ("10.9.0.0/24, 172.16.0.0/12", False),
        ("192.168.1.77/32", True),
        ("192.168.0.0/16", True),
        ("192.168.2.0/24", False),
        ("0.0.0.0/0", True),
        ('"::/0"', True),
        ('"fd00::/8"', False),
    ],
)
def test_a_route_into_the_tunnel_leaves_the_other_zones_alone(allowed: str, *, fires: bool) -> None:
    assert ("WG002" in codes(pebble(tunnel(allowed)))) is fires


def test_two_tunnels_cannot_lead_to_one_network() -> None:
    second = f"""
  wg1:
    address: 10.8.0.2/24
    port: 51821
    private_key: secret:w
    peers: {{ cabin: {{ public_key: {CABIN}, allowed_ips: [10.7.0.0/16] }} }}
"""
    part = tunnel("10.7.7.0/24").replace("wireguard: { wg0: {", "wireguard:\n  wg0: {")
    part = part.removesuffix(" }") + second

    found = [f.message for f in findings(pebble(part)) if f.code == "WG002"]

    assert found == ["10.7.0.0/16 takes the route to 10.7.7.0/24 of site of wg0"]


@pytest.mark.parametrize(
    ("endpoint", "refresh", "fires"),
    [
        ("gate.example.org:51820", "", True),
        ("gate.example.org:51820", "refresh: 5min,", False),
        ("203.0.113.9:51820", "", False),
        ('"[2001:db8::9]:51820"', "", False),
    ],
)
def test_only_a_name_is_looked_up_again(endpoint: str, refresh: str, *, fires: bool) -> None:
    part = tunnel("10.9.0.0/24", f"endpoint: {endpoint}", refresh)

    assert ("WG003" in codes(pebble(part))) is fires


@pytest.mark.parametrize(
    ("line", "mtu", "fires"), [(1500, 1420, False), (1500, 1421, True), (9000, 8920, False)]
)
def test_a_tunnels_packet_needs_eighty_bytes_more(line: int, mtu: int, *, fires: bool) -> None:
    part = tunnel("10.9.0.0/24", settings=f"mtu: {mtu},")
    part = part.replace("network: {", f"network: {{ uplinks: {{ lan: {{ mtu: {line} }} }},", 1)

    assert ("WG005" in codes(pebble(part))) is fires


def test_a_peer_may_call_in_where_allow_names_wireguard() -> None:
    closed = tunnel("10.9.0.0/24").replace("zones: {", "zones: { home: { gateway: null },", 1)
    lines = "allow: [{ from: home, to: host, services: [ssh, smb, wireguard] }]"
    opened = closed.replace("network: {", f"network: {{ {lines},", 1)

    assert "WG007" in codes(pebble(closed))
    assert "WG007" not in codes(pebble(opened))


def test_a_peer_that_we_call_needs_no_open_port() -> None:
    part = tunnel("10.9.0.0/24", "endpoint: 203.0.113.9:51820")
    part = part.replace("zones: {", "zones: { home: { gateway: null },", 1)

    assert "WG007" not in codes(pebble(part))


def test_a_machine_may_have_one_key_at_the_ends_of_two_tunnels() -> None:
    tunnel = """
  wg{0}:
    address: 10.{0}.0.2/24
    port: 5182{0}
    private_key: secret:wg0
    peers:
      {1}:
        public_key: DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=
        allowed_ips: [10.{0}.0.1/32]
"""
    zones = "network: { zones: { a: { wireguard: wg0 }, b: { wireguard: wg1 } } }\nwireguard:"
    first = zones + tunnel.format(0, "far")

    assert "WG004" not in codes(pebble(first + tunnel.format(1, "far")))
    assert "WG004" in codes(pebble(first + tunnel.format(1, "other")))
