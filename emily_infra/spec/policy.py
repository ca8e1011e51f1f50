"""What the lines of `allow` come to: which ports are open from where, and who is routed to whom."""

from typing import NamedTuple

from emily_infra.findings import Path
from emily_infra.spec.host import HostSpec
from emily_infra.spec.topology import addresses, networks, service

HOST = "host"
"""The word that stands for the machine itself in `allow`."""


class Ports(NamedTuple):
    """Ports that are open, in order."""

    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()


def opened(spec: HostSpec, source: str, to: str) -> Ports:
    """What a zone may reach on the host or in another zone; an unknown service opens nothing."""
    services = [
        found
        for line in spec.network.allow
        if (line.source, line.to) == (source, to)
        for name in line.services
        if (found := service(spec, name))
    ]
    return Ports(
        tuple(sorted({port for found in services for port in found.tcp})),
        tuple(sorted({port for found in services for port in found.udp})),
    )


class Opening(NamedTuple):
    """A line of the policy that lets a zone reach a TCP port of the host."""

    zone: str
    service: str
    place: Path


def openings(spec: HostSpec, port: int) -> list[Opening]:
    """Every permission to reach a TCP port of the host, in the order of the file."""
    return [
        Opening(allow.source, name, ("network", "allow", index, "services", position))
        for index, allow in enumerate(spec.network.allow)
        if allow.to == HOST
        for position, name in enumerate(allow.services)
        if (found := service(spec, name)) and port in found.tcp
    ]


def routed(spec: HostSpec) -> list[tuple[str, str]]:
    """The pairs of zones between which the host is a router, in order."""
    zones = spec.network.zones
    return sorted(
        {
            (line.source, line.to)
            for line in spec.network.allow
            if line.source in zones and line.to in zones and line.source != line.to
        }
    )


def forwards(spec: HostSpec, version: int) -> bool:
    """Whether packets of an IP version are routed between any two zones."""
    return any(
        version in versions(spec, source) and version in versions(spec, to)
        for source, to in routed(spec)
    )


def versions(spec: HostSpec, zone: str) -> set[int]:
    """The IP versions that a zone speaks."""
    found = spec.network.zones[zone]
    known = (*addresses(spec, zone), *networks(spec, zone))
    learned = {version for version in (4, 6) if found.leads_out(version)}
    return learned | {address.version for address in known}


def wireguard_ports(spec: HostSpec, zone: str) -> tuple[int, ...]:
    """The ports of tunnels that a zone may knock at: those of the zones that lead outside."""
    if not spec.network.zones[zone].is_outward:
        return ()
    return tuple(sorted({tunnel.port for tunnel in spec.wireguard.values()}))
