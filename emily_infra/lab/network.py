"""The world around a lab: what stands in `outside` so that the host can be reached as in life."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)

from emily_infra.spec.host import HostSpec
from emily_infra.spec.network import Zone
from emily_infra.spec.topology import addresses, networks, zone_of

Address = IPv4Address | IPv6Address
OnLink = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network
_WIRES = ("198.18.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
_LEARNED = IPv4Network("198.19.0.0/16")
_ELSEWHERE = IPv4Address("198.18.255.1")
_TRIES = 1024


@dataclass(frozen=True)
class Segment:
    """A zone on an uplink as `outside` sees it."""

    zone: str
    card: str
    tag: int | None
    device: str
    own: tuple[OnLink, ...]
    """Addresses of its gateway and of a machine in the zone."""
    machine: Address | None
    leases: IPv4Interface | None = None
    """What the host gets by DHCP."""


@dataclass(frozen=True)
class Far:
    """The other end of a tunnel."""

    tunnel: str
    peer: str
    device: str
    port: int
    endpoint: str
    """Where the host finds it."""
    own: tuple[Address, ...]
    host: tuple[Address, ...]
    """The host's addresses in the tunnel."""
    call: str
    """Where the host listens, for a peer that has to call first."""


@dataclass(frozen=True)
class Door:
    """The operator's way to the host."""

    address: Address
    port: int
    operator: Address
    device: str


@dataclass(frozen=True)
class World:
    """Everything in `outside`."""

    wire: IPv4Network
    """Of QEMU's user-mode network."""
    cards: dict[str, str]
    """The MAC address of each uplink's other end."""
    segments: tuple[Segment, ...]
    tunnels: tuple[Far, ...]
    door: Door | None
    names: dict[str, Address] = field(default_factory=dict)
    """What names of endpoints mean here."""
    claimed: tuple[Address, ...] = ()
    """Addresses of the wide world that `outside` answers for."""
    left_out: tuple[str, ...] = ()

    @property
    def mac(self) -> str:
        """Of the card that leads to the operator's machine."""
        return _mac(0)

    @property
    def here(self) -> IPv4Address:
        """The address of `outside` on QEMU's network."""
        return self.wire[15]


def world(spec: HostSpec) -> World:
    """What a host.yaml needs around it."""
    cards = {name: _mac(n) for n, name in enumerate(sorted(spec.network.uplinks), 1)}
    segments = tuple(_segments(spec, {name: f"peer{n}" for n, name in enumerate(cards)}))
    tunnels = tuple(_tunnels(spec))
    names = {
        host: _ELSEWHERE
        for tunnel in spec.wireguard.values()
        for peer in tunnel.peers.values()
        if peer.endpoint and _literal(host := peer.endpoint.rpartition(":")[0]) is None
    }
    door = _door(spec, segments, tunnels)
    claimed = _claimed(spec, segments, door)
    return World(
        _wire(spec), cards, segments, tunnels, door, dict(sorted(names.items())), claimed,
        tuple(_left_out(spec, door)),
    )  # fmt: skip


def _mac(number: int) -> str:
    """Locally administered, and nobody's: host.yaml has the cards' burnt-in addresses."""
    return f"02:6c:61:62:00:{number:02x}"


def _wire(spec: HostSpec) -> IPv4Network:
    """A network for QEMU that the host knows nothing of."""
    known = [*spec.deploy.operators]
    known += [net for zone in spec.network.zones for net in networks(spec, zone)]
    for text in _WIRES:
        wire = IPv4Network(text)
        if not any(net.version == 4 and wire.overlaps(net) for net in known):
            return wire
    return IPv4Network(_WIRES[0])


def _segments(spec: HostSpec, peers: dict[str, str]) -> Iterator[Segment]:
    learned = iter(_LEARNED.subnets(new_prefix=24))
    for name, zone in sorted(spec.network.zones.items()):
        if zone.on not in peers:
            continue
        lease = _lease(spec, next(learned)) if zone.address == "dhcp" else None
        mine = (*zone.static, *((lease,) if lease else ()))
        machine = _operator_in(spec, mine) or next(_free(spec, mine), None)
        device = peers[zone.on] + (f".{zone.vlan}" if zone.vlan else "")
        own = (*_gateways(zone, mine), *_on_link(machine, mine))
        yield Segment(name, zone.on, zone.vlan, device, tuple(dict.fromkeys(own)), machine, lease)


def _lease(spec: HostSpec, fallback: IPv4Network) -> IPv4Interface:
    """The address that deploy.address promises, where no other zone has it."""
    wanted = spec.deploy.address
    fixed = [own.ip for zone in spec.network.zones for own in addresses(spec, zone)]
    if isinstance(wanted, IPv4Address) and wanted not in fixed:
        return IPv4Interface(f"{wanted}/24")
    return IPv4Interface(f"{fallback[2]}/{fallback.prefixlen}")


def _gateways(zone: Zone, mine: tuple[OnLink, ...]) -> Iterator[OnLink]:
    for gateway in (zone.gateway, zone.gateway6):
        if gateway:
            yield from _on_link(gateway, mine) or (ip_interface(str(gateway)),)
    if zone.address == "dhcp":
        yield from (ip_interface(f"{own.network[1]}/{own.network.prefixlen}") for own in mine
                    if own.version == 4 and own.ip != own.network[1])  # fmt: skip


def _on_link(address: Address | None, mine: tuple[OnLink, ...]) -> tuple[OnLink, ...]:
    """An address with the prefix of the host's own network that it is in."""
    return tuple(
        ip_interface(f"{address}/{own.network.prefixlen}")
        for own in mine
        if address and address in own.network
    )[:1]


def _taken(spec: HostSpec) -> set[Address]:
    taken: set[Address] = {spec.deploy.address, *spec.network.dns}
    for name, zone in spec.network.zones.items():
        taken |= {own.ip for own in addresses(spec, name)}
        taken |= {gateway for gateway in (zone.gateway, zone.gateway6) if gateway}
    return taken


def _free(spec: HostSpec, mine: tuple[OnLink, ...]) -> Iterator[Address]:
    taken = _taken(spec)
    for own in mine:
        yield from (a for a in _hosts(own.network) if a not in taken and a != own.ip)


def _hosts(network: Network) -> Iterator[Address]:
    """Addresses for machines, from the end backwards: people number from the start."""
    count = min(network.num_addresses, _TRIES)
    edge = 1 if network.num_addresses > 2 else 0
    for back in range(edge, count - edge):
        yield network[network.num_addresses - 1 - back]


def _operator_in(spec: HostSpec, mine: tuple[OnLink, ...]) -> Address | None:
    """An address in one of the host's own networks that counts as an operator's."""
    for address in _free(spec, mine):
        if any(address in net for net in spec.deploy.operators):
            return address
    taken = _taken(spec)
    for net in spec.deploy.operators:  # narrower than the search above reaches
        for address in _hosts(net):
            if address not in taken and any(address in own.network for own in mine):
                return address
    return None


def _door(spec: HostSpec, segments: tuple[Segment, ...], tunnels: tuple[Far, ...]) -> Door | None:
    port = spec.system.ssh.port
    address = spec.deploy.address
    inside = zone_of(spec, ip_network(str(address)))
    here = sorted(segments, key=lambda segment: segment.zone != inside)
    for segment in here:
        mine = [own for own in addresses(spec, segment.zone) if own.version == 4]
        mine += [segment.leases] if segment.leases else []
        for own in mine:
            target = address if address == own.ip else own.ip
            for operator in _operators(spec, segment):
                if operator.version == target.version:
                    return Door(target, port, operator, segment.device)
    for far in tunnels:
        for operator in far.own:
            for target in far.host:
                allowed = any(operator in net for net in spec.deploy.operators)
                if allowed and operator.version == target.version == 4:
                    return Door(target, port, operator, far.device)
    return None


def _operators(spec: HostSpec, segment: Segment) -> Iterator[Address]:
    """Where operators may come from by way of a segment: its machine, or beyond its gateway."""
    for net in spec.deploy.operators:
        if segment.machine and segment.machine in net:
            yield segment.machine
        elif zone_of(spec, net) == segment.zone:
            yield from (a for a in _hosts(net) if a not in _taken(spec))


def _tunnels(spec: HostSpec) -> Iterator[Far]:
    number = 0
    for name, tunnel in sorted(spec.wireguard.items()):
        for peer, body in sorted(tunnel.peers.items()):
            own = tuple(
                next((a for a in _hosts(net) if a not in _taken(spec)), None)
                for net in body.allowed_ips
            )
            port = int(body.endpoint.rpartition(":")[2]) if body.endpoint else 40_000 + number
            endpoint = body.endpoint or f"{_ELSEWHERE}:{port}"
            call = "" if body.endpoint else f"{spec.deploy.address}:{tunnel.port}"
            yield Far(
                name, peer, f"far{number}", port, endpoint, tuple(a for a in own if a),
                (tunnel.address.ip,), call,
            )  # fmt: skip
            number += 1


def _claimed(
    spec: HostSpec, segments: tuple[Segment, ...], door: Door | None
) -> tuple[Address, ...]:
    """Addresses beyond every link: resolvers, endpoints, an operator who comes from far away."""
    wanted: list[Address] = [_ELSEWHERE, *spec.network.dns]
    wanted += [door.operator] if door else []
    for tunnel in spec.wireguard.values():
        for peer in tunnel.peers.values():
            host = _literal((peer.endpoint or "").rpartition(":")[0])
            wanted += [host] if host else []
    there = {own.ip for segment in segments for own in segment.own}
    far = {own.ip for zone in spec.network.zones for own in addresses(spec, zone)}
    through = {a for tunnel in _tunnels(spec) for a in tunnel.own}
    return tuple(dict.fromkeys(a for a in wanted if a not in there | far | through))


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _left_out(spec: HostSpec, door: Door | None) -> Iterator[str]:
    if door is None:
        yield "the operator's way: no IPv4 address of the host can be reached from deploy.operators"
    elif door.address != spec.deploy.address:
        yield f"deploy.address {spec.deploy.address}: the lab connects to {door.address} instead"
    for name, zone in sorted(spec.network.zones.items()):
        if zone.address6 == "auto":
            yield f"network.zones.{name}.address6: nobody sends router advertisements"
    for name, tunnel in sorted(spec.wireguard.items()):
        yield from (
            f"wireguard.{name}.peers.{peer}.public_key: the other end has a key of the lab"
            for peer in sorted(tunnel.peers)
        )
