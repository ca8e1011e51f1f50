"""Rules about the way that operators come in."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, host_rule
from emily_infra.findings import Severity
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.policy import HOST, opened
from emily_infra.spec.topology import AnyNetwork, addresses, networks, service, zone_of


@host_rule(
    "NET006", Severity.ERROR,
    wrong="network: { allow: [{ from: home, to: host, services: [smb] }] }",
    right="network: { allow: [{ from: home, to: host, services: [smb, ssh] }] }",
)  # fmt: skip
def operators_can_come_in(host: Host) -> Iterator[Problem]:
    """An operator's network is locked out of SSH

    deploy.operators says where people connect from. For each of these networks we look up the zone
    that its packets come in by (the narrowest zone that holds it, else the one with the gateway)
    and whether allow opens the SSH port there. If not, the next deployment would be the last one:
    the machine then needs somebody at its console. A network that is wider than a zone must be let
    in from everywhere that it touches; narrow it if people only sit in a part of it.
    """
    port = host.spec.system.ssh.port
    for index, network in enumerate(host.spec.deploy.operators):
        place = ("deploy", "operators", index)
        zones = _arrivals(host.spec, network)
        if not zones:
            yield Problem(
                place,
                f"nobody in {network} can reach the host: no zone holds it and none leads outside",
                "correct the network, or give the zone it comes in by a gateway",
            )
        for zone in zones:
            if port not in opened(host.spec, zone, HOST).tcp:
                message = f"{network} comes in by zone {zone}, which may not reach SSH (tcp {port})"
                yield Problem(place, message, _opening(host.spec, zone))


def _arrivals(spec: HostSpec, network: AnyNetwork) -> list[str]:
    """Every zone that a part of the network comes in by."""
    inside = {
        zone
        for zone in spec.network.zones
        for part in networks(spec, zone)
        if part.version == network.version and part.subnet_of(network)  # type: ignore[arg-type]
    }
    whole = zone_of(spec, network)
    return sorted({whole, *inside} if whole else inside)


def _opening(spec: HostSpec, zone: str) -> str:
    found = service(spec, "ssh")
    if found and spec.system.ssh.port in found.tcp:
        return f"add to network.allow: - {{ from: {zone}, to: host, services: [ssh] }}"
    return "network.services.ssh names other ports than system.ssh.port; delete it"


@host_rule(
    "NET008", Severity.ERROR,
    wrong="deploy: { address: 192.168.1.99 }",
    right="deploy: { address: 192.168.1.10 }",
)  # fmt: skip
def the_address_is_ours(host: Host) -> Iterator[Problem]:
    """deploy.address is not an address of this host

    SSH connects to this address, and a new configuration counts as working only when the host
    answers there. If it belongs to another machine, we would deploy to that one. Only a host with
    an address from dhcp (or IPv6 auto) may have one that does not stand in its file, and then not
    one in the network of another zone.
    """
    spec = host.spec
    wanted = spec.deploy.address
    own = {str(address.ip) for zone in spec.network.zones for address in addresses(spec, zone)}
    own |= {str(tunnel.address.ip) for tunnel in spec.wireguard.values()}
    word, field = ("dhcp", "address") if wanted.version == 4 else ("auto", "address6")
    fixed = any(
        wanted in address.network
        for zone in spec.network.zones
        for address in addresses(spec, zone)
        if address.version == wanted.version
    )
    learned = not fixed and any(
        getattr(zone, field) == word for zone in spec.network.zones.values()
    )
    if str(wanted) not in own and not learned:
        yield Problem(
            ("deploy", "address"),
            f"{wanted} is not an address of {host.name}",
            f"write one of: {', '.join(sorted(own)) or 'none is fixed'}",
        )


@host_rule(
    "NET020", Severity.NOTE,
    wrong="""
        deploy: { operators: [192.168.1.0/24, 10.9.0.0/24] }
        network:
          zones: { far: { wireguard: wg0 } }
          allow:
            - { from: home, to: host, services: [ssh, smb] }
            - { from: far, to: host, services: [ssh] }
        wireguard:
          wg0:
            address: 10.9.0.1/24
            private_key: secret:wg0
            peers:
              desk:
                public_key: iO+eTz3fOYI5oy3cRUX/iP5fIHvmuXv0YvIwz6amu+4=
                allowed_ips: [10.9.0.0/24]
        secrets: { wg0: {} }
        """,
    right="deploy: { operators: [192.168.1.0/24] }",
)  # fmt: skip
def operators_use_the_address_of_their_zone(host: Host) -> Iterator[Problem]:
    """Operators in another zone must use the host's address there

    An address of the host answers only in its own zone: the firewall drops a packet for the
    management address that comes in by a tunnel, so that no zone can be left by asking for
    another one's address. People in another zone than that of deploy.address reach the host all
    the same, but by the address that it has with them.
    """
    spec = host.spec
    zones = sorted(spec.network.zones)
    homes = {str(own.ip): zone for zone in zones for own in addresses(spec, zone)}
    home = homes.get(str(spec.deploy.address))
    for index, network in enumerate(spec.deploy.operators):
        zone = zone_of(spec, network)
        theirs = [str(own.ip) for own in addresses(spec, zone)] if zone else []
        if home and zone != home and theirs:
            yield Problem(
                ("deploy", "operators", index),
                f"{network} comes in by {zone}, where {spec.deploy.address} does not answer",
                f"from there, use: ssh {theirs[0]}",
            )
