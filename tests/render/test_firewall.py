"""The ruleset under the real nft, and on real packets between network namespaces."""

import subprocess
from collections.abc import Iterator

import pytest

from emily_infra.render.firewall import ruleset
from emily_infra.spec.host import Host
from emily_infra.spec.services import REGISTRY
from emily_infra.spec.topology import addresses, service
from tests.hosts import over, pebble, shipped
from tests.render.namespaces import Target, World, namespace, neighbour, table, world

WITHOUT_POLICY = "network: { allow: [] }"
LEARNED = "network: { zones: { home: { address: dhcp, address6: auto, gateway: null } } }"
ODD_NAMES = """
network:
  uplinks: { my-lan: { mac: "52:54:00:00:00:11" }, tcp: { mac: "52:54:00:00:00:12" } }
  zones:
    drop: { on: tcp, address: 10.1.0.2/24 }
    a-to-b: { on: my-lan, vlan: 4094, address: 10.2.0.2/24, address6: "fd00:2::2/64" }
  services: { odd-one: { udp: [1, 65535], tcp: [9] } }
  allow:
    - { from: home, to: host, services: [ssh, smb, odd-one] }
    - { from: drop, to: a-to-b, services: [odd-one, dns] }
"""
FULL_TUNNEL = """
network: { allow: [{ from: management, to: host, services: [ssh] },
                   { from: minnesota, to: data, services: [smb] },
                   { from: ai, to: minnesota, services: [https] }] }
"""
IPV6 = """
network:
  zones:
    home: { address6: "fd00:1::10/64" }
    lab: { on: lan, vlan: 7, address6: "fd00:7::2/64" }
"""
VARIANTS = {
    "ember": shipped("ember"),
    "pebble": shipped("pebble"),
    "nothing allowed": pebble(WITHOUT_POLICY),
    "learned addresses": pebble(LEARNED),
    "odd names": pebble(ODD_NAMES),
    "routed tunnel": over(shipped("ember"), FULL_TUNNEL),
    "two IP versions": pebble(IPV6),
}


@pytest.mark.parametrize("host", VARIANTS.values(), ids=list(VARIANTS))
def test_nft_takes_the_ruleset(host: Host) -> None:
    with namespace("check") as name:
        command = ["ip", "netns", "exec", name, "nft", "--check", "--file", "-"]
        done = subprocess.run(command, input=table(host.spec), capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_order_of_keys_in_host_yaml_changes_nothing() -> None:
    spec = shipped("ember").spec
    backwards = dict(reversed(spec.network.zones.items()))

    network = spec.network.model_copy(update={"zones": backwards})

    assert ruleset(spec.model_copy(update={"network": network})) == ruleset(spec)


@pytest.fixture(scope="module")
def ember() -> Iterator[World]:
    """Ember with something listening on every registered port, and its four zones."""
    host = shipped("ember")
    sockets = [f"tcp/{port}" for body in REGISTRY.values() for port in body.tcp]
    with world(host.spec) as made:
        machine = made.zones["ai"]
        with (
            made.serving(made.host, [*sockets, "udp/51820"]),
            made.serving(machine, ["tcp/443", "tcp/22"]),
        ):
            yield made


def own(zone: str) -> str:
    """Ember's address in a zone."""
    return str(addresses(shipped("ember").spec, zone)[0].ip)


@pytest.mark.parametrize("zone", sorted(shipped("ember").spec.network.zones))
def test_a_zone_reaches_what_allow_names_and_nothing_else(ember: World, zone: str) -> None:
    spec = shipped("ember").spec
    lines = [line for line in spec.network.allow if (line.source, line.to) == (zone, "host")]
    allowed = {name for line in lines for name in line.services}
    ports = {
        name: found.tcp[0] for name in REGISTRY if (found := service(spec, name)) and found.tcp
    }

    answers = ember.answers(zone, [Target(own(zone), port) for port in ports.values()])

    assert {name for name, yes in zip(ports, answers, strict=True) if yes} == allowed


def test_an_address_of_the_host_answers_only_in_its_own_zone(ember: World) -> None:
    before = ember.counted("spoofed_destination")
    target = Target(own("data"), 445)

    assert ember.answer("data", target)
    assert not ember.answer("ai", target)
    assert not ember.answer("minnesota", target)
    assert ember.counted("spoofed_destination") > before


def test_a_source_from_another_zone_is_dropped(ember: World) -> None:
    before = ember.counted("spoofed_source")
    foreign = neighbour(addresses(shipped("ember").spec, "management")[0])

    with ember.posing("ai", foreign):
        assert not ember.answer("ai", Target(own("ai"), 8470, source=foreign))

    assert ember.counted("spoofed_source") > before


def test_a_source_from_nowhere_is_dropped_in_a_zone_that_leads_nowhere(ember: World) -> None:
    before = ember.counted("spoofed_source")

    with ember.posing("data", "203.0.113.9") as nowhere:
        assert not ember.answer("data", Target(own("data"), 445, source=nowhere))

    assert ember.counted("spoofed_source") > before


def test_an_operator_behind_the_gateway_is_not_taken_for_a_forger(ember: World) -> None:
    with ember.posing("management", "10.10.0.1"), ember.posing("management", "203.0.113.8") as far:
        assert ember.answer("management", Target(own("management"), 22, source=far))


def test_the_host_is_a_router_for_the_allowed_pair_and_port_only(ember: World) -> None:
    before = ember.counted("denied_forward")
    machine = neighbour(addresses(shipped("ember").spec, "ai")[0])

    https, ssh = Target(machine, 443), Target(machine, 22)

    assert ember.answers("management", [https, ssh]) == [True, False]
    assert not ember.answer("data", https)
    assert not ember.answer("minnesota", https)
    assert ember.counted("denied_forward") > before


def test_wireguard_is_called_from_outside_only(ember: World) -> None:
    port = Target(own("management"), 51820, "udp")

    assert ember.answer("management", port)
    assert not ember.answer("data", Target(own("data"), 51820, "udp"))


def test_a_ping_is_answered(ember: World) -> None:
    assert ember.answer("data", Target(own("data"), 0, "icmp"))


def test_what_is_denied_is_counted(ember: World) -> None:
    before = ember.counted("denied_input")

    ember.answer("data", Target(own("data"), 22))

    assert ember.counted("denied_input") > before


def test_neighbours_find_the_host_over_ipv6_and_zones_stay_apart() -> None:
    with world(pebble(IPV6).spec) as made, made.serving(made.host, ["tcp/22"], version=6):
        at_home = made.answer("home", Target("fd00:1::10", 22))
        from_the_lab = made.answers("lab", [Target("fd00:7::2", 22), Target("fd00:1::10", 22)])

        assert at_home
        assert from_the_lab == [False, False]
        assert made.counted("spoofed_destination") > 0


def test_connections_through_a_tunnel_are_told_of_its_smaller_segments() -> None:
    host = over(shipped("ember"), FULL_TUNNEL)
    with world(host.spec) as made, made.serving(made.zones["minnesota"], ["tcp/443"]):
        machine = neighbour(addresses(host.spec, "minnesota")[0])

        assert made.segment("ai", Target(machine, 443)) <= 1420 - 40
