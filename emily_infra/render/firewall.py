"""The nftables ruleset: what `allow` permits and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass

from emily_infra.render.nix import Lines
from emily_infra.spec.host import HostSpec
from emily_infra.spec.network import Zone
from emily_infra.spec.policy import HOST, Ports, opened, routed, wireguard_ports
from emily_infra.spec.topology import interface

COUNTERS = {
    "spoofed_source": "Arrived on an interface that its source is not reached by.",
    "spoofed_destination": "Wanted an address of the host that belongs to another interface.",
    "redirects": "Told the host to use another router.",
    "invalid": "Belonged to no connection that can exist.",
    "unsolicited": "Was sent to everybody and is of no use here.",
    "denied_input": "No line of allow lets it reach the host.",
    "denied_forward": "No line of allow lets it pass between zones.",
}
"""What a packet did that is counted and dropped under a name."""
LOGGED = ("spoofed_source", "spoofed_destination", "denied_input", "denied_forward")
_BASE_CHAIN = "type filter hook {} priority {}; policy {};"


@dataclass(frozen=True)
class Carried:
    """A zone with the interface that its packets use."""

    name: str
    interface: str
    zone: Zone


def ruleset(spec: HostSpec) -> Lines:
    """What stands inside `table inet emily`."""
    zones = [
        Carried(name, interface(zone), zone) for name, zone in sorted(spec.network.zones.items())
    ]
    blocks = [
        "".join(f"counter {name} {{ }}\n" for name in COUNTERS),
        *(_drop(name) for name in COUNTERS),
        _spoofing(zones),
        _input(zones),
        _control_messages(),
        *(_to_host(spec, zone) for zone in zones),
        _forward(spec),
        *(_between(spec, *pair) for pair in routed(spec)),
        _chain("output", "What the host itself sends.", [_base("output", "filter", "accept")]),
    ]
    return Lines("\n".join(blocks))


def _base(hook: str, priority: str, policy: str) -> str:
    return _BASE_CHAIN.format(hook, priority, policy)


def _chain(name: str, comment: str, rules: Iterable[str]) -> str:
    body = "".join(f"  {rule}\n" for rule in rules)
    return f"# {comment}\nchain {name} {{\n{body}}}\n"


def _drop(name: str) -> str:
    """The end of a packet: logged a few times a minute, so that a flood cannot fill the journal."""
    prefix = f'"emily {name.replace("_", " ")}: "'
    log = f"limit rate 6/minute burst 12 packets log prefix {prefix} level info"
    rules = [log] if name in LOGGED else []
    return _chain(f"drop_{name}", COUNTERS[name], [*rules, f"counter name {name} drop"])


def _spoofing(zones: list[Carried]) -> str:
    clients = [zone.interface for zone in zones if zone.zone.address == "dhcp"]
    return _chain(
        "spoofing",
        "A source must be reached by the interface that it came in on; before anything is tracked.",
        [
            _base("prerouting", "raw", "accept"),
            'iifname "lo" accept',
            "# Of one link, so they cannot claim another zone; neighbour discovery needs them.",
            "ip6 saddr { ::, fe80::/10 } accept",
            *_if(clients, f"iifname {_names(clients)} udp sport 67 udp dport 68 accept"),
            "fib saddr . iif oif missing goto drop_spoofed_source",
        ],
    )


def _input(zones: list[Carried]) -> str:
    entries = [f'"{zone.interface}" : jump {_chain_name(zone.name, HOST)}' for zone in zones]
    return _chain(
        "input",
        "What is addressed to the host.",
        [
            _base("input", "filter", "drop"),
            'iifname "lo" accept',
            "# Linux answers for each of its addresses on every interface; a zone must not be left",
            "# by asking for the host's address in another one.",
            "fib daddr . iif type != { local, broadcast, multicast } goto drop_spoofed_destination",
            "# Here already, because a redirect about a known connection counts as related to it.",
            "icmp type redirect goto drop_redirects",
            "icmpv6 type nd-redirect goto drop_redirects",
            "ct state vmap { established : accept, related : accept, invalid : goto drop_invalid }",
            "meta l4proto { icmp, icmpv6 } jump control_messages",
            *_map("iifname", entries),
            "meta pkttype { broadcast, multicast } goto drop_unsolicited",
            "goto drop_denied_input",
        ],
    )


def _control_messages() -> str:
    """RFC 4890 says which types an IPv6 host cannot live without."""
    return _chain(
        "control_messages",
        "What IP itself needs, from every zone; a ping is answered, a flood of them is not.",
        [
            "icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
            "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } accept",
            "icmpv6 type parameter-problem accept",
            "# A hop limit of 255 proves that no router passed it on.",
            "ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
            "ip6 saddr fe80::/10 icmpv6 type { mld-listener-query, mld-listener-report } accept",
            "icmp type echo-request limit rate 20/second burst 40 packets accept",
            "icmpv6 type echo-request limit rate 20/second burst 40 packets accept",
        ],
    )


def _to_host(spec: HostSpec, zone: Carried) -> str:
    tunnels = wireguard_ports(spec, zone.name)
    learned = zone.zone.address6 == "auto"
    rules = [
        *_accept(opened(spec, zone.name, HOST)),
        *_if(tunnels, f"udp dport {_ports(tunnels)} accept", "# WireGuard, from outside."),
        *_if(zone.zone.address == "dhcp", "udp sport 67 udp dport 68 accept"),
        *_if(learned, "ip6 hoplimit 255 ip6 saddr fe80::/10 icmpv6 type nd-router-advert accept"),
        *_if(learned, "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept"),
    ]
    where = f"From zone {zone.name} ({zone.interface}) to the host"
    comment = f"{where}." if rules else f"{where}: nothing is allowed."
    return _chain(_chain_name(zone.name, HOST), comment, rules)


def _forward(spec: HostSpec) -> str:
    pairs = routed(spec)
    names = {name: f'"{interface(zone)}"' for name, zone in spec.network.zones.items()}
    entries = [f"{names[a]} . {names[b]} : jump {_chain_name(a, b)}" for a, b in pairs]
    return _chain(
        "forward",
        "What passes between zones, if anything may.",
        [
            _base("forward", "filter", "drop"),
            *_clamps(spec, {zone for pair in pairs for zone in pair}),
            "ct state vmap { established : accept, related : accept, invalid : goto drop_invalid }",
            *_map("iifname . oifname", entries),
            "goto drop_denied_forward",
        ],
    )


def _clamps(spec: HostSpec, zones: set[str]) -> list[str]:
    """Both ends are told what fits into the tunnel, because path MTU discovery is often broken."""
    names = {spec.network.zones[zone].wireguard for zone in zones}
    rules = ["# Segments that fit into the tunnel, whatever becomes of path MTU discovery."]
    for name, tunnel in sorted(spec.wireguard.items()):
        if name in names:
            segment = "tcp flags syn tcp option maxseg size set {}"
            rules += [
                f'oifname "{name}" {segment.format("rt mtu")}',
                f'iifname "{name}" meta nfproto ipv4 {segment.format(tunnel.mtu - 40)}',
                f'iifname "{name}" meta nfproto ipv6 {segment.format(tunnel.mtu - 60)}',
            ]
    return rules if len(rules) > 1 else []


def _between(spec: HostSpec, source: str, to: str) -> str:
    rules = list(_accept(opened(spec, source, to)))
    return _chain(_chain_name(source, to), f"From zone {source} to zone {to}.", rules)


def _chain_name(source: str, to: str) -> str:
    """A name of its own for each pair: no zone's name holds an underscore."""
    return f"from_{source}_to_{to}"


def _accept(ports: Ports) -> Iterable[str]:
    for protocol, numbers in (("tcp", ports.tcp), ("udp", ports.udp)):
        if numbers:
            yield f"{protocol} dport {_ports(numbers)} accept"


def _map(key: str, entries: list[str]) -> list[str]:
    """A verdict map, one entry a line; nothing where it would be empty."""
    body = [f"  {entry}," for entry in entries]
    return [f"{key} vmap {{", *body, "}"] if entries else []


def _ports(ports: Iterable[int]) -> str:
    return f"{{ {', '.join(map(str, ports))} }}"


def _names(interfaces: list[str]) -> str:
    return "{ " + ", ".join(f'"{name}"' for name in interfaces) + " }"


def _if(condition: object, rule: str, comment: str = "") -> list[str]:
    """A rule where something calls for it, under its comment."""
    rules = [comment, rule] if comment else [rule]
    return rules if condition else []
