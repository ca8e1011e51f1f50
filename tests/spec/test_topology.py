"""What follows from a spec: who lives where, what listens, what is mounted."""

from ipaddress import ip_network

import pytest

from emily_infra.findings import Path
from emily_infra.spec import policy, topology
from emily_infra.spec.host import HostSpec
from emily_infra.spec.topology import Listener
from tests.hosts import over, pebble, shipped

EMBER = shipped("ember").spec


def listener(spec: HostSpec, program: str) -> Listener:
    [found] = [each for each in topology.listeners(spec) if each.program == program]
    return found


@pytest.mark.parametrize(
    ("zone", "interface"), [("management", "vlan10"), ("ai", "vlan30"), ("minnesota", "wg0")]
)
def test_a_zones_packets_use_its_vlan_or_its_tunnel(zone: str, interface: str) -> None:
    assert topology.interface(EMBER.network.zones[zone]) == interface


def test_an_untagged_zones_packets_use_the_uplink() -> None:
    assert topology.interface(pebble().spec.network.zones["home"]) == "lan"


@pytest.mark.parametrize(
    ("zone", "addresses"),
    [("management", ["10.10.0.2/24"]), ("minnesota", ["10.0.0.2/24"]), ("nowhere", [])],
)
def test_the_hosts_own_addresses_in_a_zone(zone: str, addresses: list[str]) -> None:
    assert [str(address) for address in topology.addresses(EMBER, zone)] == addresses


def test_an_address_from_dhcp_is_not_known_here() -> None:
    spec = pebble("network: { zones: { home: { address: dhcp, gateway: null } } }").spec

    assert topology.addresses(spec, "home") == ()
    assert topology.served_on(spec, "home") == "0.0.0.0"


def test_a_tunnel_that_is_not_described_has_no_address() -> None:
    spec = pebble("network: { zones: { far: { wireguard: wg9 } } }").spec

    assert topology.addresses(spec, "far") == topology.networks(spec, "far") == ()


def test_a_tunnels_zone_holds_what_its_peers_may_send() -> None:
    part = (
        "wireguard: { wg0: { peers: { minnesota: { allowed_ips: [10.0.0.0/24, 10.99.0.0/16] } } } }"
    )
    spec = over(shipped("ember"), part).spec

    assert [str(each) for each in topology.networks(spec, "minnesota")] == [
        "10.0.0.0/24", "10.99.0.0/16",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("network", "zone"),
    [
        ("10.10.0.0/24", "management"),
        ("10.20.0.7/32", "data"),
        ("10.0.0.9/32", "minnesota"),
        ("203.0.113.1/32", "management"),  # through the gateway
        ("2001:db8::/64", None),
    ],
)
def test_a_machine_comes_in_by_the_zone_that_holds_its_address(
    network: str, zone: str | None
) -> None:
    assert topology.zone_of(EMBER, ip_network(network)) == zone


def test_the_narrowest_network_decides() -> None:
    wide = "network: { zones: { wide: { on: lan, vlan: 99, address: 10.0.0.1/8 } } }"
    spec = over(shipped("ember"), wide).spec

    assert topology.zone_of(spec, ip_network("10.20.0.7/32")) == "data"
    assert topology.zone_of(spec, ip_network("10.77.0.7/32")) == "wide"


@pytest.mark.parametrize(
    ("part", "name", "ports"),
    [
        ("", "smb", ((445,), ())),
        ("", "dns", ((53,), (53,))),
        ("system: { ssh: { port: 2200 } }", "ssh", ((2200,), ())),
        ("network: { services: { smb: { tcp: [4450] } } }", "smb", ((4450,), ())),
        ("network: { services: { ssh: { tcp: [1] } } }", "ssh", ((1,), ())),
        ("runtime: { token: secret:restic, port: 9999 }", "runtime", ((9999,), ())),
    ],
)
def test_a_services_ports_are_the_hosts_own_before_the_registrys(
    part: str, name: str, ports: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    service = topology.service(pebble(part).spec, name)

    assert service is not None
    assert (service.tcp, service.udp) == ports


def test_an_unknown_service_has_no_ports() -> None:
    assert topology.service(EMBER, "telnet") is None


def test_every_listener_says_which_part_asks_for_it() -> None:
    for each in topology.listeners(EMBER):
        assert shipped("ember").source.locate(each.place[:1]).line > 1 or each.place[0] == "system"


def test_a_share_in_a_tunnel_listens_on_the_tunnels_address() -> None:
    addresses = {each.address for each in topology.listeners(EMBER) if each.program == "smbd"}

    assert addresses == {"10.0.0.2", "10.20.0.2"}


def test_a_part_without_a_zone_listens_on_loopback_only() -> None:
    spec = pebble("runtime: { token: secret:restic }").spec

    assert listener(spec, "emily-runtime").address == "127.0.0.1"


def test_exporters_listen_where_the_host_wants_them_read() -> None:
    shared = over(shipped("ember"), "monitoring: { exporters: zone }").spec

    assert listener(EMBER, "node exporter").address == "127.0.0.1"
    assert listener(shared, "node exporter").address == "10.10.0.2"
    assert listener(shared, "prometheus").address == "127.0.0.1"


def test_an_exporter_runs_only_beside_what_it_reads() -> None:
    assert "wireguard" in topology.exporters(EMBER)
    assert "wireguard" not in topology.exporters(pebble().spec)


def test_openings_name_the_line_that_lets_a_zone_in() -> None:
    assert [(each.zone, each.place) for each in policy.openings(EMBER, 445)] == [
        ("data", ("network", "allow", 2, "services", 0)),
        ("minnesota", ("network", "allow", 4, "services", 1)),
    ]


def test_mounts_come_before_what_is_mounted_in_them() -> None:
    inside = "{ a: { mountpoint: /srv/home/a }, b: { mountpoint: / } }"
    part = f"storage: {{ pools: {{ tank: {{ datasets: {inside} }} }} }}"

    assert [mount.mountpoint for mount in topology.mounts(pebble(part).spec)] == [
        "/", "/srv/home", "/srv/home/a",
    ]  # fmt: skip


def test_a_mounts_place_is_its_dataset() -> None:
    for mount in topology.mounts(EMBER):
        node = shipped("ember").source.find(mount.place)

        assert node is not None
        assert mount.path == f"{mount.place[2]}/{mount.place[4]}"


@pytest.mark.parametrize(
    ("part", "at_boot"),
    [("{ mountpoint: /nix }", True), ("{ needed_for_boot: true }", True), ("{}", False)],
)
def test_what_nixos_needs_early_is_mounted_at_boot(part: str, at_boot: bool) -> None:  # noqa: FBT001
    spec = pebble(f"storage: {{ pools: {{ tank: {{ datasets: {{ home: {part} }} }} }} }}").spec

    assert [mount.at_boot for mount in topology.mounts(spec)] == [at_boot]


def test_partitions_are_found_by_their_use() -> None:
    assert topology.partitions(EMBER, "swap") == ["nvme-A-part2", "nvme-B-part2"]
    assert topology.partitions(pebble().spec, "esp") == []


@pytest.mark.parametrize(
    ("part", "file"),
    [
        ("", "/run/secrets/restic"),
        ("secrets: { restic: { file: /run/agenix/r } }", "/run/agenix/r"),
        (
            "system: { admins: { colter: { password: secret:restic } } }",
            "/run/secrets-for-users/restic",
        ),
    ],
)
def test_a_secrets_file_is_where_it_is_said_or_where_sops_puts_it(part: str, file: str) -> None:
    assert topology.secret_file(pebble(part).spec, "secret:restic") == file


def test_every_reference_to_a_secret_is_found_at_its_place() -> None:
    found = dict(topology.secret_references(pebble().spec))

    expected: dict[Path, str] = {
        ("samba", "users", "colter", "password"): "smb-colter",
        ("backup", "offsite", "shed", "password"): "restic",
    }
    assert found == expected
