"""Rules about tunnels."""

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import combinations

from emily_infra.check.rule import Problem, host_rule
from emily_infra.findings import Path, Severity
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.policy import HOST, opened, wireguard_ports
from emily_infra.spec.topology import AnyNetwork, addresses
from emily_infra.spec.wireguard import Peer

OVERHEAD = 80
"""Bytes that WireGuard needs in a packet over IPv6, the larger of the two."""
_SITE = "DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E="
_CABIN = "J2QYLQK+4cVfwOL1YloP1qzkZXZmkg4wSc4x5rv3/5s="


def _tunnel(
    peers: str, settings: str = "", zone: str = "zones: { far: { wireguard: wg0 } }"
) -> str:
    """An example with one tunnel."""
    return f"""
network: {{ {zone} }}
wireguard:
  wg0: {{ address: 10.9.0.2/24, private_key: "secret:wg0", {settings} peers: {{ {peers} }} }}
secrets: {{ wg0: {{}} }}
"""


def _peer(name: str, key: str, rest: str) -> str:
    return f"{name}: {{ public_key: {key}, {rest} }}"


def _one(rest: str, settings: str = "") -> str:
    return _tunnel(_peer("site", _SITE, rest), settings)


def _two(first: str, second: str) -> str:
    return _tunnel(f"{_peer('site', _SITE, first)}, {_peer('cabin', _CABIN, second)}")


@host_rule(
    "WG001", Severity.ERROR,
    wrong=_two("allowed_ips: [10.9.0.0/24]", "allowed_ips: [10.9.0.7/32]"),
    right=_two("allowed_ips: [10.9.0.1/32]", "allowed_ips: [10.9.0.7/32]"),
)  # fmt: skip
def peers_share_no_address(host: Host) -> Iterator[Problem]:
    """Two peers of one tunnel may send from the same addresses

    WireGuard sends a packet to the one peer whose allowed_ips hold its target most narrowly. Of two
    equal entries the last one loaded takes all, and the other peer is silent without an error. Give
    each peer its own addresses. If a narrower entry is meant to be the exception to a wider one,
    acknowledge it.
    """
    for name, tunnel in host.spec.wireguard.items():
        for (one, first), (other, second) in combinations(sorted(tunnel.peers.items()), 2):
            for mine in first.allowed_ips:
                for index, theirs in enumerate(second.allowed_ips):
                    if _overlap(mine, theirs):
                        yield Problem(
                            _place(name, other, "allowed_ips", index),
                            f"{theirs} of {other} overlaps {mine} of {one}",
                            f"write only the addresses of {other}, such as 10.0.0.7/32",
                        )


def _place(name: str, peer: str, *rest: str | int) -> Path:
    return ("wireguard", name, "peers", peer, *rest)


def _overlap(one: AnyNetwork, other: AnyNetwork) -> bool:
    return one.version == other.version and one.overlaps(other)


def _peers(spec: HostSpec) -> Iterator[tuple[str, str, Peer]]:
    """Every peer with the interface it is on, in the order of names."""
    for name, tunnel in sorted(spec.wireguard.items()):
        for peer, body in sorted(tunnel.peers.items()):
            yield name, peer, body


@host_rule(
    "WG002", Severity.ERROR,
    wrong=_one("allowed_ips: [10.9.0.0/24, 192.168.1.0/24]"),
    right=_one("allowed_ips: [10.9.0.0/24, 192.168.2.0/24]"),
)  # fmt: skip
def a_tunnel_steals_no_route(host: Host) -> Iterator[Problem]:
    """What a peer may send from is also a network of another zone

    Every entry of allowed_ips becomes a route into the tunnel. If it overlaps the network of
    another zone, the neighbours there are looked for at the far end, and their own packets are
    dropped as forged. 0.0.0.0/0 (or ::/0) takes everything, also the packets that carry the
    tunnel, and the host is gone. Name the networks that really are at the other end.
    """
    spec = host.spec
    elsewhere = {name: _elsewhere(spec, name) for name in spec.wireguard}
    for name, peer, body in _peers(spec):
        for index, network in enumerate(body.allowed_ips):
            at = _place(name, peer, "allowed_ips", index)
            hint = f"name only the networks behind {peer}"
            if not network.prefixlen:
                message = f"{network} sends everything into {name}, and what carries {name} as well"
                yield Problem(at, message, hint)
                continue
            lost = (other for other in elsewhere[name] if _overlap(network, other[1]))
            if first := next(lost, None):
                message = f"{network} takes the route to {first[1]} of {first[0]}"
                yield Problem(at, message, hint)


def _elsewhere(spec: HostSpec, tunnel: str) -> list[tuple[str, AnyNetwork]]:
    """The networks of all other zones, and what peers of the tunnels before this one may send."""
    zones = [
        (name, address.network)
        for name, zone in sorted(spec.network.zones.items())
        if zone.wireguard != tunnel
        for address in addresses(spec, name)
    ]
    peers = [
        (f"{other} of {name}", network)
        for name, other, body in _peers(spec)
        if name < tunnel
        for network in body.allowed_ips
        if network.prefixlen
    ]
    return [*zones, *peers]


@host_rule(
    "WG003", Severity.WARNING,
    wrong=_one("allowed_ips: [10.9.0.0/24], endpoint: site.example.org:51820"),
    right=_one("allowed_ips: [10.9.0.0/24], endpoint: site.example.org:51820", "refresh: 5min,"),
)  # fmt: skip
def a_name_is_looked_up_again(host: Host) -> Iterator[Problem]:
    """An endpoint is a name that is looked up only once

    The kernel knows addresses only. The name is looked up when the tunnel is made; when the other
    site gets a new address, packets go to the old one until somebody restarts the network. With
    refresh the name is looked up again and again. An endpoint that is an address needs none.
    """
    for name, tunnel in host.spec.wireguard.items():
        named = [peer for peer, body in sorted(tunnel.peers.items()) if _is_name(body.endpoint)]
        if named and tunnel.refresh is None:
            yield Problem(
                _place(name, named[0], "endpoint"),
                f"{host.spec.wireguard[name].peers[named[0]].endpoint} is looked up once and then"
                " never again",
                f"add to wireguard.{name}: refresh: 5min",
            )


def _is_name(endpoint: str | None) -> bool:
    if endpoint is None:
        return False
    try:
        ip_address(endpoint.rpartition(":")[0].strip("[]"))
    except ValueError:
        return True
    return False


@host_rule(
    "WG004", Severity.ERROR,
    wrong=_two("allowed_ips: [10.9.0.1/32]", "allowed_ips: [10.9.0.7/32]").replace(_CABIN, _SITE),
    right=_two("allowed_ips: [10.9.0.1/32]", "allowed_ips: [10.9.0.7/32]"),
)  # fmt: skip
def a_peer_has_its_own_key(host: Host) -> Iterator[Problem]:
    """Two peers have one public key

    The public key is who a peer is. On one interface the second entry replaces the first, so one of
    the sites loses its addresses. Two machines that share a private key also take the connection
    from each other. Make a key for each: wg genkey. One machine at the end of two tunnels may have
    one key, if it has one name in both.
    """
    seen: dict[str, tuple[str, str]] = {}
    for name, peer, body in _peers(host.spec):
        first_tunnel, first = seen.setdefault(body.public_key, (name, peer))
        if first != peer:
            where = "" if name == first_tunnel else f" of {first_tunnel}"
            yield Problem(
                _place(name, peer, "public_key"),
                f"{peer} has the same key as {first}{where}",
                f"paste what this prints on {peer}: wg pubkey < private.key",
            )


@host_rule(
    "WG005", Severity.WARNING,
    wrong=_one("allowed_ips: [10.9.0.0/24]", "mtu: 1480,"),
    right=_one("allowed_ips: [10.9.0.0/24]", "mtu: 1420,"),
)  # fmt: skip
def a_packet_fits_the_line(host: Host) -> Iterator[Problem]:
    """A tunnel's packets do not fit the line

    WireGuard adds 60 bytes to a packet over IPv4 and 80 over IPv6. If the result is larger than
    what the uplink carries, it is split or lost: small things work and large copies hang. Take the
    uplink's MTU less 80, and less again if the line of the provider is narrower (PPPoE takes 8).
    """
    uplinks = host.spec.network.uplinks
    narrowest = min(sorted(uplinks), key=lambda name: uplinks[name].mtu)
    most = uplinks[narrowest].mtu - OVERHEAD
    for name, tunnel in host.spec.wireguard.items():
        if tunnel.mtu > most:
            hint = f"write mtu: {most}" if most >= 1280 else f"raise the mtu of {narrowest}"
            yield Problem(
                ("wireguard", name, "mtu"),
                f"{tunnel.mtu} and {OVERHEAD} bytes of WireGuard exceed the"
                f" {uplinks[narrowest].mtu} of {narrowest}",
                hint,
            )


@host_rule(
    "WG006", Severity.WARNING,
    wrong=_tunnel(_peer("site", _SITE, "allowed_ips: [10.9.0.0/24]"), zone=""),
    right=_one("allowed_ips: [10.9.0.0/24]"),
)  # fmt: skip
def a_tunnel_is_a_zone(host: Host) -> Iterator[Problem]:
    """A tunnel belongs to no zone

    Only zones can be named in allow, and what no line allows is dropped. Through this tunnel the
    host can call out, but nobody can call in.
    """
    used = {zone.wireguard for zone in host.spec.network.zones.values()}
    for name in host.spec.wireguard:
        if name not in used:
            hint = f"add to network.zones: far: {{ wireguard: {name} }}"
            yield Problem(("wireguard", name), f"nothing may come in through {name}", hint)


@host_rule(
    "WG007", Severity.WARNING,
    wrong=_tunnel(
        _peer("site", _SITE, "allowed_ips: [10.9.0.0/24]"),
        zone="zones: { home: { gateway: null }, far: { wireguard: wg0 } }",
    ),
    right=_one("allowed_ips: [10.9.0.0/24]"),
)  # fmt: skip
def a_caller_is_let_in(host: Host) -> Iterator[Problem]:
    """A peer must call first, and no zone lets it

    Without an endpoint we do not know where the peer is, so it has to begin. Its packets come to
    the tunnel's UDP port, which is open in the zones that lead outside and where allow names the
    service wireguard. If there is no such zone, this tunnel never comes up.
    """
    spec = host.spec
    reachable = {
        port
        for zone in spec.network.zones
        for port in (*wireguard_ports(spec, zone), *opened(spec, zone, HOST).udp)
    }
    for name, peer, body in _peers(spec):
        if body.endpoint is None and spec.wireguard[name].port not in reachable:
            yield Problem(
                _place(name, peer),
                f"{peer} has no endpoint, and udp {spec.wireguard[name].port} is closed to all",
                f"add endpoint: to {peer}, or allow wireguard from the zone that it calls in",
            )


@host_rule(
    "WG008", Severity.ERROR,
    wrong=_one("allowed_ips: [10.9.0.1/32, 203.0.113.0/24], endpoint: 203.0.113.7:51820"),
    right=_one("allowed_ips: [10.9.0.1/32, 198.51.100.0/24], endpoint: 203.0.113.7:51820"),
)  # fmt: skip
def a_tunnel_leaves_its_ends_outside(host: Host) -> Iterator[Problem]:
    """A peer's addresses hold an end of the tunnel itself

    What is in allowed_ips is routed into the tunnel. If the address of the endpoint is among it,
    the packets that carry the tunnel are sent into the tunnel, and nothing arrives. If the host's
    own address in the tunnel is given to a peer, the peer may answer in its name.
    """
    for name, peer, body in _peers(host.spec):
        own = host.spec.wireguard[name].address
        outer = "" if _is_name(body.endpoint) else str(body.endpoint or "")
        far = outer.rpartition(":")[0].strip("[]")
        for index, network in enumerate(body.allowed_ips):
            at = _place(name, peer, "allowed_ips", index)
            if not network.prefixlen:
                continue  # WG002 says more
            if far and ip_address(far) in network:
                message = f"{network} holds {far}, the endpoint of {peer} outside of the tunnel"
                yield Problem(at, message, f"name only the networks behind {peer}, without {far}")
            if network.num_addresses == 1 and own.ip in network:
                message = f"{own.ip} is this host's own address in {name}"
                yield Problem(at, message, f"write the address of {peer} in the tunnel")
