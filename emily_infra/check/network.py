"""Rules about the policy between zones, its services and their ports, and TCP tuning."""

import difflib
from collections.abc import Iterable, Iterator

from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Path, Severity, dotted
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.network import Service
from emily_infra.spec.policy import HOST, routed
from emily_infra.spec.services import REGISTRY
from emily_infra.spec.topology import EVERYWHERE, LEARNED, Listener, addresses, listeners, service
from emily_infra.spec.units import Size

Socket = tuple[str, int]
"""A protocol and a port."""
WILDCARDS = (EVERYWHERE, LEARNED)
ROUND_TRIP = 0.2
"""Seconds across the Pacific and back: the longest line that tuning is for."""


@host_rule(
    "NET001", Severity.ERROR,
    wrong="network: { services: { dash: { tcp: [3000] } } }",
    right="network: { services: { dash: { tcp: [3080] } } }",
)  # fmt: skip
def a_port_has_one_program(host: Host) -> Iterator[Problem]:
    """Two programs want one port

    Only one program can listen on a port of an address; the second one fails at its start, after
    the deployment. A program on every address (*) meets all others. The registry also keeps a
    port for each program that we know, so that a port in a log or a rule means one thing: a
    service of your own takes a free one, or goes by the registered name.
    """
    found = sorted(listeners(host.spec), key=lambda one: (len(one.place), one))
    earlier: dict[Socket, list[Listener]] = {}
    for second in found:
        before = earlier.setdefault(_socket(second), [])
        first = next((one for one in before if _collide(one, second)), None)
        before.append(second)
        if first:
            yield Problem(
                second.place,
                f"{second.program} and {first.program} both listen on {second.protocol}"
                f" {second.port} of {_shared(first, second)}",
                f"give {second.program} another port: {dotted(second.place)}",
            )
    owners = _owners(host.spec, found)
    for name, custom in sorted(host.spec.network.services.items()):
        for protocol, port in _sockets(custom):
            owner = next((one for one in owners.get((protocol, port), ()) if one != name), None)
            if owner:
                yield Problem(
                    ("network", "services", name),
                    f"{name} takes {protocol} {port}, which is the port of {owner}",
                    f"choose another port, or write {owner} in allow if that is what you mean",
                )
        yield from _misnamed(name, custom, found)


def _misnamed(name: str, custom: Service, found: list[Listener]) -> Iterator[Problem]:
    """A service that the host itself runs, under its own name but with other ports."""
    actual = {_socket(listener) for listener in found if listener.service == name}
    for protocol, port in sorted(actual - set(_sockets(custom))):
        yield Problem(
            ("network", "services", name),
            f"{name} listens on {protocol} {port} here, but the firewall would open other ports",
            f"delete network.services.{name}; the port of a program is set where it is described",
        )


def _socket(listener: Listener) -> Socket:
    return listener.protocol, listener.port


def _sockets(custom: Service) -> list[Socket]:
    return [*(("tcp", port) for port in custom.tcp), *(("udp", port) for port in custom.udp)]


def _collide(one: Listener, other: Listener) -> bool:
    """Whether two programs want one address; one program may well have several."""
    return one.program != other.program and _meet(one.address, other.address)


def _meet(one: str, other: str) -> bool:
    return one == other or one in WILDCARDS or other in WILDCARDS


def _shared(first: Listener, second: Listener) -> str:
    address = second.address if first.address in WILDCARDS else first.address
    return "every address" if address in WILDCARDS else address


def _owners(spec: HostSpec, found: list[Listener]) -> dict[Socket, list[str]]:
    """Who has a claim on a port: the registry, what the host runs, and its own services."""
    claims = [
        *((socket, name) for name, body in REGISTRY.items() for socket in _sockets(body)),
        *((_socket(listener), listener.service) for listener in found),
        *((s, name) for name, body in spec.network.services.items() for s in _sockets(body)),
    ]
    owners: dict[Socket, set[str]] = {}
    for socket, name in claims:
        owners.setdefault(socket, set()).add(name)
    return {socket: sorted(names) for socket, names in owners.items()}


@host_rule(
    "NET002", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong="network: { allow: [{ from: home, to: host, services: [ssh, grafanna] }] }",
    right="network: { allow: [{ from: home, to: host, services: [ssh, grafana] }] }",
)  # fmt: skip
def a_service_is_known(host: Host) -> Iterator[Problem]:
    """allow names a service that nobody knows

    A line of allow names services and not ports, so that one name means one port everywhere. The
    names come from the registry of ports and from network.services. A line with an unknown name
    opens nothing, and would look as if it did.
    """
    spec = host.spec
    known = sorted({*REGISTRY, *spec.network.services})
    for index, line in enumerate(spec.network.allow):
        for position, name in enumerate(line.services):
            if service(spec, name) is None:
                other = f"add it: network.services.{name}: {{ tcp: [PORT] }}"
                hint = _near(name, known) or other
                at = ("network", "allow", index, "services", position)
                yield Problem(at, f"{name} is not a service that we know", hint)


@host_rule(
    "NET007", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong="""
network:
  allow:
    - { from: home, to: host, services: [ssh, smb] }
    - { from: office, to: host, services: [smb] }
""",
    right="network: { allow: [{ from: home, to: host, services: [ssh, smb] }] }",
)  # fmt: skip
def allow_names_zones(host: Host) -> Iterator[Problem]:
    """allow names a zone that does not exist

    A line goes from a zone to `host`, which is the machine itself, or to another zone, whose
    machines may then be reached through the host. What the host sends is never filtered, so
    `from: host` has no meaning; neither has a line from a zone to itself, because those packets
    do not pass the host.
    """
    zones = sorted(host.spec.network.zones)
    for index, line in enumerate(host.spec.network.allow):
        at = ("network", "allow", index)
        if line.source == HOST:
            hint = "delete the line; what the host sends is never filtered"
            yield Problem((*at, "from"), "host is not a zone to come from", hint)
        elif line.source not in zones:
            yield _no_zone((*at, "from"), line.source, zones)
        if line.to not in (*zones, HOST):
            yield _no_zone((*at, "to"), line.to, [*zones, HOST])
        if line.source == line.to and line.source in zones:
            hint = f"delete the line, or write to: {HOST}"
            message = f"machines in {line.to} reach each other without passing the host"
            yield Problem((*at, "to"), message, hint)


def _no_zone(at: Path, name: str, known: list[str]) -> Problem:
    hint = _near(name, known) or f"known here: {', '.join(known)}"
    return Problem(at, f"{name} is not a zone of this host", hint)


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {near[0]}?" if near else ""


@host_rule(
    "NET010", Severity.NOTE,
    wrong="""
network:
  zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } }
  allow:
    - { from: home, to: host, services: [ssh, smb] }
    - { from: home, to: lab, services: [https] }
""",
    right="network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } }",
)  # fmt: skip
def the_host_is_a_router(host: Host) -> Iterator[Problem]:
    """A line from zone to zone makes the host a router

    The kernel then forwards packets, and the firewall alone keeps the other zones apart. The
    machines on both sides must use the host as their way to each other, or the line has no effect.
    A line `to: host` needs none of this.
    """
    pairs = routed(host.spec)
    for index, line in enumerate(host.spec.network.allow):
        if (line.source, line.to) in pairs:
            names = ", ".join(f"{source} to {to}" for source, to in pairs)
            yield Problem(
                ("network", "allow", index),
                f"forwarding is on: {names}",
                "nothing to do if that is meant; machines there need a route through this host",
            )
            return


@host_rule(
    "NET011", Severity.NOTE,
    wrong="network: { tuning: { congestion: bbr, ecn: request } }",
    right="network: { tuning: { congestion: bbr, ecn: accept } }",
)  # fmt: skip
def tuning_has_ceilings(host: Host) -> Iterator[Problem]:
    """TCP tuning that cannot do what it seems to promise

    The bbr of the kernel is version 1: it does not slow down for ECN marks, so asking for them on
    every connection brings nothing, and a few old routers drop such packets. A buffer can use at
    most what the line carries in one round trip; four times that is room enough, and more only
    takes memory from the rest, for each connection. No setting makes a tunnel faster than the line
    beneath it.
    """
    tuning = host.spec.network.tuning
    if tuning.congestion == "bbr" and tuning.ecn == "request":
        hint = "write ecn: accept, or congestion: cubic, which heeds the marks"
        message = "ecn: request has no use with bbr, which ignores the marks"
        yield Problem(("network", "tuning", "ecn"), message, hint)
    fastest = max(uplink.speed for uplink in host.spec.network.uplinks.values())
    useful = int(4 * ROUND_TRIP * fastest / 8)
    if tuning.buffer > useful:
        rounded = max(1 << 20, useful >> 20 << 20)
        yield Problem(
            ("network", "tuning", "buffer"),
            f"{fastest} fills at most {useful // 10**6} MB at 200 ms, four times over;"
            f" the buffer may grow to {tuning.buffer}",
            f"write buffer: {Size(rounded)}, or correct speed: of the uplink",
        )


@host_rule(
    "NET013", Severity.WARNING,
    wrong="network: { zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } } }",
    right="""
network:
  uplinks: { lan: { trunk: true } }
  zones: { lab: { on: lan, vlan: 7, address: 192.168.7.2/24 } }
""",
)  # fmt: skip
def a_trunk_is_confirmed(host: Host) -> Iterator[Problem]:
    """A VLAN on an uplink that nobody has seen to be a trunk

    The switch port must carry the tag, or not one packet of the zone arrives. If you manage the
    host through such a zone, it vanishes at the switch to the new configuration. Look at the port
    on the switch, then say so with trunk: true.
    """
    network = host.spec.network
    for name, uplink in network.uplinks.items():
        tags = sorted(zone.vlan for zone in network.zones.values() if zone.on == name and zone.vlan)
        if tags and not uplink.trunk:
            listed = ", ".join(map(str, tags))
            yield Problem(
                ("network", "uplinks", name),
                f"{name} must carry VLAN {listed}, but is not confirmed as a trunk",
                f"check the switch port, then write trunk: true at network.uplinks.{name}",
            )


@host_rule(
    "NET018", Severity.WARNING,
    wrong="network: { allow: [{ from: home, to: host, services: [ssh, smb, grafana] }] }",
    right="network: { allow: [{ from: home, to: host, services: [ssh, smb] }] }",
)  # fmt: skip
def somebody_listens(host: Host) -> Iterator[Problem]:
    """A port is open, but nobody listens there

    Either the line is left over from something that is gone, and would let in whatever takes the
    port next; or the program listens in another zone, and this one will wait for it in vain: the
    firewall accepts an address of the host only on its own interface. A program that stands in
    another file counts when network.services has its name.
    """
    spec = host.spec
    found = listeners(spec)
    for index, line in enumerate(spec.network.allow):
        if line.to != HOST or line.source not in spec.network.zones:
            continue
        here = {*WILDCARDS, *(str(own.ip) for own in addresses(spec, line.source))}
        for position, name in enumerate(line.services):
            wanted = service(spec, name)
            if wanted is None or name in spec.network.services:
                continue
            takers = [one for one in found if _socket(one) in _sockets(wanted)]
            if not any(one.address in here for one in takers):
                where = sorted({one.address for one in takers})
                but = f"; it is on {', '.join(where)}" if where else ""
                yield Problem(
                    ("network", "allow", index, "services", position),
                    f"{name} is open to {line.source}, but nothing listens there{but}",
                    f"take {name} out of the line, or serve it in {line.source}",
                )
