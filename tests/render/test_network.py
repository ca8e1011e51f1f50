"""What the rendered network module means to NixOS, as the Nix interpreter sees it."""

from typing import Any

from emily_infra.spec.host import Host
from tests.hosts import over, pebble, shipped
from tests.render.evaluated import module

LAB = "network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } }"
DHCP = "network: { dns: [], zones: { home: { address: dhcp, gateway: null } } }"
AUTO = "network: { zones: { home: { address6: auto } } }"


def networks(host: Host) -> Any:
    """The networkd networks of a host."""
    return module(host, "network")["systemd"]["network"]["networks"]


def sysctl(host: Host) -> Any:
    """The kernel settings of a host; those that hardware.nix may change as plain values."""
    settings = module(host, "network")["boot"]["kernel"]["sysctl"]
    return {
        name: value["content"] if isinstance(value, dict) else value
        for name, value in settings.items()
    }


def test_a_card_is_found_by_its_mac_address_and_gets_the_uplinks_name() -> None:
    link = module(shipped("ember"), "network")["systemd"]["network"]["links"]["10-lan"]

    assert link["matchConfig"] == {"PermanentMACAddress": "a0:36:9f:00:00:01"}
    assert link["linkConfig"]["Name"] == "lan"


def test_every_vlan_is_made_and_hangs_on_its_uplink() -> None:
    systemd = module(shipped("ember"), "network")["systemd"]["network"]

    assert systemd["networks"]["10-lan"]["vlan"] == ["vlan10", "vlan20", "vlan30"]
    assert systemd["netdevs"]["20-vlan30"]["vlanConfig"] == {"Id": 30}
    assert systemd["netdevs"]["20-vlan30"]["netdevConfig"] == {"Kind": "vlan", "Name": "vlan30"}


def test_a_bare_trunk_has_no_address_of_any_kind() -> None:
    trunk = networks(shipped("ember"))["10-lan"]

    assert "address" not in trunk
    assert trunk["networkConfig"]["LinkLocalAddressing"] == "no"
    assert trunk["networkConfig"]["IPv6AcceptRA"] is False


def test_an_untagged_zone_and_a_vlan_share_an_uplink() -> None:
    found = networks(pebble(LAB))

    assert found["10-lan"]["address"] == ["192.168.1.10/24"]
    assert found["10-lan"]["vlan"] == ["vlan7"]
    assert found["20-vlan7"]["address"] == ["192.168.7.2/24"]


def test_only_the_zone_with_the_gateway_leads_outside() -> None:
    found = networks(shipped("ember"))

    assert {name: body.get("gateway") for name, body in found.items()} == {
        "10-lan": None, "20-vlan10": ["10.10.0.1"], "20-vlan20": None, "20-vlan30": None
    }  # fmt: skip


def test_a_fixed_address_is_there_before_the_cable_is() -> None:
    assert networks(pebble())["10-lan"]["networkConfig"]["ConfigureWithoutCarrier"] is True
    assert "ConfigureWithoutCarrier" not in networks(pebble(DHCP))["10-lan"]["networkConfig"]


def test_dhcp_is_asked_where_host_yaml_says_so_and_for_ipv4_only() -> None:
    assert networks(pebble(DHCP))["10-lan"]["networkConfig"]["DHCP"] == "ipv4"
    assert networks(pebble())["10-lan"]["networkConfig"]["DHCP"] == "no"


def test_learned_resolvers_count_only_where_host_yaml_names_none() -> None:
    named = "network: { dns: [192.168.1.1], zones: { home: { address: dhcp, gateway: null } } }"

    assert networks(pebble(DHCP))["10-lan"]["dhcpV4Config"] == {"UseDNS": True}
    assert networks(pebble(named))["10-lan"]["dhcpV4Config"] == {"UseDNS": False}


def test_router_advertisements_are_heeded_in_an_automatic_zone_only() -> None:
    assert networks(pebble(AUTO))["10-lan"]["networkConfig"]["IPv6AcceptRA"] is True
    assert networks(pebble())["10-lan"]["networkConfig"]["IPv6AcceptRA"] is False


def test_jumbo_frames_reach_the_vlans_of_an_uplink() -> None:
    found = networks(over(shipped("ember"), "network: { uplinks: { lan: { mtu: 9000 } } }"))

    assert {body["linkConfig"]["MTUBytes"] for body in found.values()} == {"9000"}


def test_boot_waits_for_one_real_interface_and_no_tunnel() -> None:
    network = module(shipped("ember"), "network")["systemd"]["network"]
    tunnel = module(shipped("ember"), "wireguard")["systemd"]["network"]["networks"]["40-wg0"]

    assert network["wait-online"] == {"anyInterface": True}
    assert network["networks"]["20-vlan10"]["linkConfig"]["RequiredForOnline"] is True
    assert tunnel["linkConfig"]["RequiredForOnline"] is False


def test_one_firewall_is_on_and_it_is_ours() -> None:
    networking = module(shipped("pebble"), "network")["networking"]

    assert networking["firewall"]["enable"] is False
    assert networking["nftables"]["enable"] is True
    assert list(networking["nftables"]["tables"]) == ["emily"]
    assert networking["nftables"]["tables"]["emily"]["family"] == "inet"


def test_a_tcp_buffer_may_grow_to_what_host_yaml_says() -> None:
    settings = sysctl(pebble("network: { tuning: { buffer: 8MiB } }"))

    assert settings["net.ipv4.tcp_rmem"].split()[-1] == str(8 << 20)
    assert settings["net.ipv4.tcp_wmem"].split()[-1] == str(8 << 20)
    assert settings["net.core.rmem_max"] == settings["net.core.wmem_max"] == 8 << 20


def test_bbr_comes_with_its_module_and_its_queue() -> None:
    assert module(pebble(), "network")["boot"]["kernelModules"] == ["tcp_bbr"]
    assert sysctl(pebble())["net.core.default_qdisc"] == "fq"
    cubic = pebble("network: { tuning: { congestion: cubic, ecn: request } }")
    assert module(cubic, "network")["boot"]["kernelModules"] == []
    assert sysctl(cubic)["net.ipv4.tcp_ecn"] == 1


def test_packets_are_forwarded_only_for_a_line_from_zone_to_zone_and_its_ip_version() -> None:
    assert sysctl(shipped("ember"))["net.ipv4.conf.all.forwarding"] is True
    assert "net.ipv6.conf.all.forwarding" not in sysctl(shipped("ember"))
    assert "net.ipv4.conf.all.forwarding" not in sysctl(shipped("pebble"))
