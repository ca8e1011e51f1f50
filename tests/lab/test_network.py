import subprocess
from ipaddress import IPv4Address, IPv4Interface

from emily_infra.lab.keys import tunnel_pair
from emily_infra.lab.network import World, world
from emily_infra.lab.outside import names, script, tunnel_files
from emily_infra.spec.host import HostSpec
from tests.hosts import pebble, shipped

EMBER = shipped("ember").spec
DHCP = """
deploy: { address: 192.168.7.20, operators: [192.168.7.0/24] }
network: { zones: { home: { address: dhcp, gateway: null } } }
"""


def _segment(spec: HostSpec, zone: str) -> tuple[str, ...]:
    (found,) = [segment for segment in world(spec).segments if segment.zone == zone]
    return tuple(map(str, found.own))


def _operator(found: World) -> str:
    assert found.door
    return str(found.door.operator)


def test_a_gateway_and_a_machine_live_in_the_zone() -> None:
    assert _segment(EMBER, "management") == ("10.10.0.1/24", "10.10.0.254/24")


def test_the_operator_comes_from_the_zone_that_may_deploy() -> None:
    found = world(EMBER)

    assert found.door
    assert str(found.door.address) == "10.10.0.2"
    assert found.door.device == "peer0.10"
    assert _operator(found) == "10.10.0.254"


def test_a_single_operators_address_is_the_one_that_is_used() -> None:
    host = pebble("deploy: { operators: [192.168.1.33/32] }")

    assert _operator(world(host.spec)) == "192.168.1.33"


def test_an_operator_from_far_away_comes_through_the_gateway() -> None:
    found = world(pebble("deploy: { operators: [203.0.113.0/24] }").spec)

    assert _operator(found).startswith("203.0.113.")
    assert IPv4Address(_operator(found)) in found.claimed


def test_an_operator_who_comes_through_the_tunnel_is_the_other_end_of_it() -> None:
    part = "deploy: { operators: [10.0.0.0/24], address: 10.0.0.2 }"
    spec = EMBER.model_copy(update={"deploy": pebble(part).spec.deploy})

    found = world(spec)

    assert found.door
    assert found.door.device == "far0"
    assert _operator(found) == "10.0.0.254"


def test_nobody_gets_the_hosts_own_addresses() -> None:
    for spec in (EMBER, pebble().spec):
        own = {address.ip for zone in spec.network.zones.values() for address in zone.static}
        assert not own & {address.ip for part in world(spec).segments for address in part.own}


def test_qemus_network_is_none_that_the_host_knows() -> None:
    host = pebble("deploy: { operators: [192.168.1.0/24, 198.18.0.0/16] }")

    assert str(world(host.spec).wire) == "192.0.2.0/24"


def test_a_host_that_asks_for_its_address_gets_the_one_it_is_deployed_at() -> None:
    spec = pebble(DHCP).spec

    (segment,) = world(spec).segments
    assert segment.leases == IPv4Interface("192.168.7.20/24")
    assert "dhcp-host=52:54:00:00:00:10,192.168.7.20" in names(spec, world(spec))


def test_the_name_of_a_tunnels_other_end_means_an_address_here() -> None:
    found = names(EMBER, world(EMBER))

    assert "listen-address=10.10.0.1" in found
    assert "address=/minnesota.example.org/198.18.255.1" in found


def test_both_ends_of_a_tunnel_have_keys_that_fit() -> None:
    found = world(EMBER)
    keys = {name: tunnel_pair() for name in ("wg0", "wg0/minnesota", "wg0/minnesota/shared")}

    files = tunnel_files(EMBER, found, keys)

    assert files["secrets/run-secrets-wg0"].strip() == keys["wg0"].private
    assert f"PublicKey = {keys['wg0'].public}" in files["tunnels/far0"]
    assert files["secrets/run-secrets-wg0-minnesota"].strip() in files["tunnels/far0"]


def test_a_key_pair_is_the_same_from_its_private_half() -> None:
    pair = tunnel_pair()

    assert tunnel_pair(pair.private) == pair


def test_the_script_loads_its_modules_and_is_one_that_a_shell_understands() -> None:
    text = script(world(EMBER))

    assert "modprobe --all virtio_net 8021q wireguard nf_tables" in text
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
