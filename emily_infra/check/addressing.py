"""Rules about cards, VLANs and addresses: what one host, or the fleet, cannot have twice."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import combinations
from typing import NamedTuple

from emily_infra.check.rule import Problem, Standing, fleet_rule, host_rule
from emily_infra.findings import Path, Severity
from emily_infra.spec.host import Fleet, Host, HostSpec
from emily_infra.spec.network import Zone
from emily_infra.spec.topology import OnLink, addresses, interface

AnyAddress = IPv4Address | IPv6Address


class Contest(NamedTuple):
    """A claim of one host, and another host that claims the same."""

    thing: Hashable
    host: str
    place: Path
    other: str


@host_rule(
    "NET003", Severity.ERROR,
    wrong="network: { zones: { home: { gateway: 192.168.2.1 } } }",
    right="network: { zones: { home: { gateway: 192.168.1.254 } } }",
)  # fmt: skip
def an_address_can_be_used(host: Host) -> Iterator[Problem]:
    """An address or gateway cannot work in its network

    The first address of an IPv4 network names the network and the last one means everybody in it;
    no machine can have either. A gateway must be a neighbour: the host finds it by asking on the
    link, so it has to be in the same network and be another machine. With such a mistake the host
    comes up without a way back to you. Take the addresses from the router's own page.
    """
    for place, address in _own(host.spec):
        if reason := _unusable(address):
            hint = f"write an address inside {address.network}, such as {_example(address)}"
            yield Problem(place, f"{address.ip} {reason}", hint)
    for name, zone in host.spec.network.zones.items():
        for field, gateway, own in (
            ("gateway", zone.gateway, zone.address),
            ("gateway6", zone.gateway6, zone.address6),
        ):
            if gateway and (reason := _unreachable(gateway, own)):
                hint = "write the router's address in this zone, or delete the line"
                yield Problem(("network", "zones", name, field), f"{gateway} {reason}", hint)


def _own(spec: HostSpec) -> Iterator[tuple[Path, OnLink]]:
    """Every fixed address of the host with its place."""
    for name, zone in spec.network.zones.items():
        for field, address in (("address", zone.address), ("address6", zone.address6)):
            if address and not isinstance(address, str):
                yield ("network", "zones", name, field), address
    for name, tunnel in spec.wireguard.items():
        yield ("wireguard", name, "address"), tunnel.address


def _unusable(address: OnLink) -> str:
    """Why no machine can have the address; nothing where one can."""
    network = address.network
    if address.is_multicast or address.is_loopback or address.is_unspecified:
        return "is not the address of a machine on a network"
    if network.num_addresses > 2 and address.ip == network.network_address:
        return f"is the name of the network {network} and not an address in it"
    last = address.version == 4 and network.num_addresses > 2
    if last and address.ip == network.broadcast_address:
        return f"is the broadcast address of {network}"
    return ""


def _example(address: OnLink) -> str:
    network = address.network
    return f"{network.network_address + min(2, network.num_addresses - 1)}/{network.prefixlen}"


def _unreachable(gateway: AnyAddress, own: OnLink | str | None) -> str:
    """Why a gateway cannot be a neighbour; nothing where it can."""
    if own is None:
        return f"is of no use: the zone has no IPv{gateway.version} address"
    if isinstance(own, str) or gateway.is_link_local:
        return ""
    if gateway not in own.network:
        return f"is outside of the zone's network {own.network}"
    if gateway == own.ip:
        return "is the host itself"
    return _unusable(type(own)(f"{gateway}/{own.network.prefixlen}"))


@host_rule(
    "NET004", Severity.ERROR,
    wrong="network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.1.200/25 } } }",
    right="network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } }",
)  # fmt: skip
def networks_of_zones_are_apart(host: Host) -> Iterator[Problem]:
    """Two zones have overlapping networks

    The host sends a packet to the narrowest network that holds its target. Where two zones share
    addresses, one of them never gets an answer, and which zone a machine belongs to is anybody's
    guess, so the firewall cannot keep them apart. Give each zone a network of its own.
    """
    spec = host.spec
    for one, other in combinations(sorted(spec.network.zones), 2):
        for mine in addresses(spec, one):
            for theirs in addresses(spec, other):
                if mine.version == theirs.version and mine.network.overlaps(theirs.network):
                    yield Problem(
                        ("network", "zones", other),
                        f"{theirs.network} of {other} overlaps {mine.network} of {one}",
                        f"give {other} a network of its own, or a longer prefix to both",
                    )


@host_rule(
    "NET005", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong="network: { zones: { lab: { on: lan, address: 192.168.7.2/24 } } }",
    right="network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } }",
)  # fmt: skip
def an_interface_carries_one_zone(host: Host) -> Iterator[Problem]:
    """Two zones are on one interface

    The firewall tells zones apart by the interface that a packet comes in on: vlan10 for VLAN 10,
    the uplink itself for what is untagged, wg0 for a tunnel. Two zones on one interface cannot be
    told apart. The same VLAN id on two uplinks would also need one name for two interfaces.
    """
    zones = host.spec.network.zones
    seen: dict[str, str] = {}
    for name in sorted(zones):
        carrier = interface(zones[name])
        if carrier in seen:
            message = f"{name} and {seen[carrier]} are both on the interface {carrier}"
            hint = f"give {name} a vlan: of its own, or make them one zone"
            yield Problem(("network", "zones", name), message, hint)
        seen.setdefault(carrier, name)


@host_rule(
    "NET009", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong="network: { zones: { lab: { on: lan2, address: 192.168.7.2/24 } } }",
    right="""
network:
  uplinks: { lan2: { mac: "52:54:00:00:00:11" } }
  zones: { lab: { on: lan2, address: 192.168.7.2/24 } }
""",
)  # fmt: skip
def a_zone_has_its_carrier(host: Host) -> Iterator[Problem]:
    """A zone is on an uplink or a tunnel that does not exist

    A zone is reached by a network card of network.uplinks or by an interface of wireguard. Without
    it there is nothing to put the address on.
    """
    spec = host.spec
    for name, zone in spec.network.zones.items():
        for field, wanted, known in (
            ("on", zone.on, spec.network.uplinks),
            ("wireguard", zone.wireguard, spec.wireguard),
        ):
            if wanted and wanted not in known:
                where = "network.uplinks" if field == "on" else "wireguard"
                message = f"{wanted} does not exist in {where}"
                names = ", ".join(sorted(known)) or "none"
                yield Problem(
                    ("network", "zones", name, field), message,
                    f"declare {wanted} in {where}, or use what is there: {names}",
                )  # fmt: skip


@host_rule(
    "NET012", Severity.ERROR,
    wrong="network: { zones: { lab: { on: lan, vlan: 7, address: dhcp } } }",
    right="network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } }",
)  # fmt: skip
def there_is_one_way_out(host: Host) -> Iterator[Problem]:
    """More than one default gateway

    With two default routes answers leave by one of them, whichever way the question came in. The
    routers and our own check of sources drop such packets, and the host is reachable on some days
    only. Keep the gateway in one zone; dhcp and auto bring one along. Other networks that must be
    reached by another zone need a fixed address there.
    """
    zones = host.spec.network.zones
    for version, field in ((4, "gateway"), (6, "gateway6")):
        ways = sorted(name for name, zone in zones.items() if zone.leads_out(version))
        for name in ways[1:]:
            place = field if getattr(zones[name], field) else field.replace("gateway", "address")
            yield Problem(
                ("network", "zones", name, place),
                f"IPv{version} has {len(ways)} ways out: {', '.join(ways)}",
                f"keep one; give {name} a fixed address without a {field}",
            )


@host_rule(
    "NET014", Severity.ERROR,
    wrong='network: { uplinks: { spare: { mac: "52:54:00:00:00:10" } } }',
    right='network: { uplinks: { spare: { mac: "52:54:00:00:00:11" } } }',
)  # fmt: skip
def a_card_has_one_name(host: Host) -> Iterator[Problem]:
    """Two uplinks have one MAC address

    A card is found by its MAC address and gets the uplink's name. Two names for one card mean that
    one of the uplinks never appears, and its zones with it.
    """
    seen: dict[str, str] = {}
    for name, uplink in sorted(host.spec.network.uplinks.items()):
        if uplink.mac in seen:
            message = f"{name} and {seen[uplink.mac]} are the same card {uplink.mac}"
            hint = "read the addresses on the machine with: ip -brief link"
            yield Problem(("network", "uplinks", name, "mac"), message, hint)
        seen.setdefault(uplink.mac, name)


@fleet_rule(
    "NET015", Severity.ERROR,
    wrong="one: {}\ntwo: { network: { zones: { home: { address: 192.168.1.11/24 } } } }",
    right='one: {}\ntwo: { network: { uplinks: { lan: { mac: "52:54:00:00:00:11" } } } }',
)  # fmt: skip
def a_card_is_in_one_host(fleet: Fleet) -> Iterator[Problem]:
    """Two hosts claim one MAC address

    A MAC address belongs to one card, so one of the files was copied and not corrected. That host
    would come up with a card that nobody named, and without a network. Read the addresses on the
    machine with: ip -brief link
    """
    claims = [
        (uplink.mac, host.name, ("network", "uplinks", name, "mac"))
        for host in fleet.values()
        for name, uplink in sorted(host.spec.network.uplinks.items())
    ]
    for mac, host_name, place, other in _contested(claims):
        yield Problem(
            place,
            f"{mac} is the card of {other} too",
            "read the addresses on the machine with: ip -brief link",
            host_name,
        )


def _contested(claims: Iterable[tuple[Hashable, str, Path]]) -> Iterator[Contest]:
    """Every claim to what another host claims too, so that each host hears of it by itself."""
    owners: dict[Hashable, list[tuple[str, Path]]] = defaultdict(list)
    for thing, host, place in claims:
        owners[thing].append((host, place))
    for thing, entries in owners.items():
        hosts = list(dict.fromkeys(host for host, _ in entries))
        for host, place in entries if len(hosts) > 1 else ():
            yield Contest(thing, host, place, hosts[0] if hosts[0] != host else hosts[1])


@fleet_rule(
    "NET016", Severity.ERROR,
    wrong='one: {}\ntwo: { network: { uplinks: { lan: { mac: "52:54:00:00:00:11" } } } }',
    right="one: {}\ntwo: { network: { zones: { home: { address: 192.168.1.11/24 } } } }",
)  # fmt: skip
def an_address_is_of_one_host(fleet: Fleet) -> Iterator[Problem]:
    """Two hosts have one address

    On one network, two machines with one address take the connections from each other, and a
    deployment may reach the wrong one. Two sites may use the same private network without harm;
    in that case acknowledge it with the names of the sites.
    """
    claims = [
        (address.ip, host.name, place)
        for host in fleet.values()
        for place, address in _own(host.spec)
    ]
    for address, host_name, place, other in _contested(claims):
        yield Problem(
            place,
            f"{address} is an address of {other} too",
            "give the newer one of the two an address of its own",
            host_name,
        )


@fleet_rule(
    "NET017", Severity.WARNING,
    wrong="""
one: { network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } } }
two: { network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.8.3/24 } } } }
""",
    right="""
one: { network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } } }
two: { network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.3/24 } } } }
""",
)  # fmt: skip
def a_vlan_is_one_network(fleet: Fleet) -> Iterator[Problem]:
    """One VLAN id stands for different networks on two hosts

    A VLAN is one wire, so machines on it that are to meet need addresses in one network. Different
    networks under one id are mostly a slip in one of the files. At two sites, or with two networks
    on one wire, it may be meant: then acknowledge it.
    """
    seen: dict[tuple[int, int], tuple[str, str]] = {}
    for host in fleet.values():
        for name, zone in sorted(host.spec.network.zones.items()):
            for address in zone.static if zone.vlan else ():
                key, network = (zone.vlan or 0, address.version), str(address.network)
                owner, first = seen.setdefault(key, (host.name, network))
                if first != network and owner != host.name:
                    yield Problem(
                        ("network", "zones", name),
                        f"VLAN {zone.vlan} is {network} here and {first} on {owner}",
                        f"use one network for VLAN {zone.vlan}, or another id here",
                        host.name,
                    )


@host_rule(
    "NET019", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong="""
network:
  uplinks: { vlan7: { mac: "52:54:00:00:00:11" } }
  zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } }
""",
    right="""
network:
  uplinks: { spare: { mac: "52:54:00:00:00:11" } }
  zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } }
""",
)  # fmt: skip
def an_interface_has_one_kind(host: Host) -> Iterator[Problem]:
    """Two interfaces would get one name

    Uplinks and tunnels have the names that you give them; the interface of VLAN 7 is called vlan7.
    Linux refuses a second interface of the same name, so one of them would be missing.
    """
    spec = host.spec
    kinds: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for name in spec.network.uplinks:
        kinds[name].append(("an uplink", ("network", "uplinks", name)))
    for name in spec.wireguard:
        kinds[name].append(("a tunnel", ("wireguard", name)))
    for name, zone in _vlans(spec):
        kinds[interface(zone)].append((f"the VLAN of {name}", ("network", "zones", name)))
    for name, claims in kinds.items():
        what = [claim for claim, _ in claims]
        if len({place[:-1] for _, place in claims}) > 1:
            yield Problem(
                claims[0][1], f"{name} is both {' and '.join(what)}", f"rename {what[0]} {name}"
            )


def _vlans(spec: HostSpec) -> list[tuple[str, Zone]]:
    return sorted((name, zone) for name, zone in spec.network.zones.items() if zone.vlan)
