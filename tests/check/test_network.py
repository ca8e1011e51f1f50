"""Boundaries of the rules about the policy, its ports and the tuning."""

import pytest

from tests.hosts import codes, findings, over, pebble, shipped

MONITORED = """
monitoring:
  zone: home
  grafana: { admin_password: "secret:a", secret_key: "secret:b" }
secrets: { a: {}, b: {} }
"""


def places(code: str, part: str) -> list[str]:
    """Where a rule fires on pebble with a part laid over it."""
    return [".".join(map(str, f.place)) for f in findings(pebble(part)) if f.code == code]


def test_sshd_on_every_address_meets_a_program_on_one_address() -> None:
    clash = MONITORED + "system: { ssh: { port: 3000 } }"

    assert places("NET001", MONITORED) == []
    assert places("NET001", clash) == ["system.ssh.port"]


def test_two_programs_on_different_addresses_may_have_one_port() -> None:
    part = """
network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } }
runtime: { token: "secret:t", zone: lab, port: 3000 }
"""

    assert places("NET001", MONITORED.replace("secrets: {", "secrets: { t: {},") + part) == []


def test_a_program_with_a_learned_address_meets_all_others() -> None:
    part = """
network:
  zones: { lab: { on: lan, vlan: 7, address: dhcp } }
runtime: { token: "secret:t", zone: lab, port: 3000 }
"""

    assert "runtime.port" in places("NET001", MONITORED + part)


def test_two_tunnels_need_two_ports() -> None:
    peer = "{ site: { public_key: %s, allowed_ips: [%s] } }"
    one = peer % ("DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=", "10.8.0.0/24")
    two = peer % ("5ST5QOMoTMlzLVxOmnhsnBbu0jzBBRfXGLKT5xx2CHo=", "10.9.0.0/24")
    part = f"""
wireguard:
  wg0: {{ address: 10.8.0.2/24, private_key: "secret:w", peers: {one} }}
  wg1: {{ address: 10.9.0.2/24, private_key: "secret:w", port: PORT, peers: {two} }}
"""

    assert places("NET001", part.replace("PORT", "51820")) == ["wireguard.wg1.port"]
    assert places("NET001", part.replace("PORT", "51821")) == []


def test_two_services_of_ones_own_cannot_share_a_port() -> None:
    part = (
        "network: { services: { one: { udp: [700] }, two: { udp: [700] }, three: { tcp: [700] } } }"
    )

    assert places("NET001", part) == ["network.services.one", "network.services.two"]


def test_a_name_of_the_registry_keeps_the_port_that_the_host_really_uses() -> None:
    moved = "network: { services: { ssh: { tcp: [2200] } } }"

    assert "NET001" in codes(pebble(moved))
    assert "NET001" not in codes(pebble(moved + "\nsystem: { ssh: { port: 2200 } }"))


def test_an_unknown_service_is_asked_back_with_the_nearest_name() -> None:
    part = "network: { allow: [{ from: home, to: host, services: [ssh, grafanna, xyzzy] }] }"

    hints = {f.hint for f in findings(pebble(part)) if f.code == "NET002"}

    assert hints == {"did you mean grafana?", "add it: network.services.xyzzy: { tcp: [PORT] }"}


@pytest.mark.parametrize(
    ("line", "fires"),
    [
        ("from: home, to: host", False),
        ("from: host, to: home", True),
        ("from: home, to: home", True),
        ("from: nowhere, to: host", True),
        ("from: home, to: nowhere", True),
    ],
)
def test_a_line_goes_from_a_zone_to_the_host_or_to_another_zone(line: str, *, fires: bool) -> None:
    part = f"network: {{ allow: [{{ {line}, services: [ssh] }}] }}"

    assert bool(places("NET007", part)) is fires


def test_routing_is_noted_once_a_host() -> None:
    more = shipped("ember").spec.network.allow
    found = [f for f in findings(shipped("ember")) if f.code == "NET010"]

    assert len(more) > 1
    assert [f.place for f in found] == [("network", "allow", 1)]


@pytest.mark.parametrize(
    ("speed", "buffer", "fires"),
    [("1Gbps", "95MiB", False), ("1Gbps", "96MiB", True), ("100Mbps", "16MiB", True),
     ("10Gbps", "900MiB", False)],
)  # fmt: skip
def test_a_buffer_is_measured_by_the_fastest_line(speed: str, buffer: str, *, fires: bool) -> None:
    part = f"""
network: {{ uplinks: {{ lan: {{ speed: {speed} }} }}, tuning: {{ buffer: {buffer} }} }}
"""

    assert bool(places("NET011", part)) is fires


def test_the_buffer_that_is_advised_is_not_complained_of() -> None:
    part = "network: { uplinks: { lan: { speed: 100Mbps } }, tuning: { buffer: 64MiB } }"
    hint = next(f.hint for f in findings(pebble(part)) if f.code == "NET011")

    advised = hint.removeprefix("write buffer: ").partition(",")[0]

    assert places("NET011", part.replace("64MiB", advised)) == []


def test_cubic_may_ask_for_marks() -> None:
    assert places("NET011", "network: { tuning: { congestion: cubic, ecn: request } }") == []


def test_a_service_of_ones_own_counts_as_present() -> None:
    part = """
network:
  services: { thing: { tcp: [7001] } }
  allow: [{ from: home, to: host, services: [ssh, smb, thing] }]
"""

    assert places("NET018", part) == []


def test_a_share_in_a_zone_with_a_learned_address_is_present() -> None:
    part = "network: { zones: { home: { address: dhcp, gateway: null } } }"

    assert places("NET018", part) == []


def test_a_dashboard_in_another_zone_is_of_no_use_here() -> None:
    part = "network: { allow: [{ from: data, to: host, services: [grafana] }] }"
    found = [f for f in findings(over(shipped("ember"), part)) if f.code == "NET018"]

    assert [f.message for f in found] == [
        "grafana is open to data, but nothing listens there; it is on 10.10.0.2"
    ]


def test_one_program_does_not_meet_itself_on_a_port() -> None:
    host = pebble("""
network:
  uplinks: { wan: { mac: "52:54:00:00:00:11" } }
  zones: { home: { gateway: null }, lab: { on: wan, address: dhcp } }
  allow: [{ from: home, to: host, services: [ssh, smb] },
          { from: lab, to: host, services: [smb] }]
samba: { shares: { home: { zones: [home, lab] } } }
""")

    assert "NET001" not in codes(host)
