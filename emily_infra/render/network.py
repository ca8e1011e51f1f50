"""Network cards, VLANs, addresses and TCP tuning; the firewall has its own module."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from emily_infra.render.firewall import ruleset
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.network import Tuning, Zone
from emily_infra.spec.policy import forwards
from emily_infra.spec.topology import interface

ECN = {"off": 0, "request": 1, "accept": 2}
QDISC = {"bbr": "fq", "cubic": "fq_codel"}
"""bbr paces its packets, and fq is the queue that does it exactly."""
SILENT: Mapping[str, object] = {"LinkLocalAddressing": "no", "IPv6AcceptRA": False, "LLMNR": False}
"""A link without any address, not even one that it makes up."""


@dataclass(frozen=True)
class Card:
    """A network card by its burnt-in address."""

    unit: str
    name: str
    mac: str


@dataclass(frozen=True)
class Vlan:
    """A tagged network as an interface of its own."""

    unit: str
    name: str
    tag: int


@dataclass(frozen=True)
class Link:
    """What one interface carries; `zone` is empty on a bare trunk."""

    unit: str
    name: str
    mtu: str
    zone: str = ""
    settings: Mapping[str, object] = field(default_factory=lambda: SILENT)
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    vlans: tuple[str, ...] = ()
    learn_resolvers: bool | None = None

    @property
    def required(self) -> bool:
        """Whether it may be the one that makes the host count as online."""
        return bool(self.zone)


def lower(host: Host) -> Mapping[str, object]:
    """What modules/network.nix.j2 prints."""
    spec = host.spec
    return {
        "nameservers": [str(address) for address in spec.network.dns],
        "cards": [
            Card(f"10-{name}", name, uplink.mac)
            for name, uplink in sorted(spec.network.uplinks.items())
        ],
        "vlans": _vlans(spec),
        "links": [*_trunks(spec), *_tagged(spec)],
        "ruleset": ruleset(spec),
        "tuning": _tuning(spec.network.tuning),
        "forwarded": [
            f"net.ipv{version}.conf.all.forwarding" for version in (4, 6) if forwards(spec, version)
        ],
    }


def _vlans(spec: HostSpec) -> list[Vlan]:
    return [
        Vlan(f"20-{interface(zone)}", interface(zone), zone.vlan)
        for _, zone in _by_tag(spec)
        if zone.vlan
    ]


def _by_tag(spec: HostSpec) -> list[tuple[str, Zone]]:
    """The zones on uplinks in the order of their tags; untagged ones first."""
    zones = [(name, zone) for name, zone in spec.network.zones.items() if zone.on]
    return sorted(zones, key=lambda entry: (entry[1].vlan or 0, entry[0]))


def _trunks(spec: HostSpec) -> list[Link]:
    """The cards themselves, each with its untagged zone, if it has one."""
    untagged = {zone.on: (name, zone) for name, zone in _by_tag(spec) if not zone.vlan}
    found = []
    for card, uplink in sorted(spec.network.uplinks.items()):
        tags = [interface(zone) for _, zone in _by_tag(spec) if zone.on == card and zone.vlan]
        link = Link(f"10-{card}", card, str(uplink.mtu), vlans=tuple(tags))
        found.append(_addressed(spec, link, *untagged[card]) if card in untagged else link)
    return found


def _tagged(spec: HostSpec) -> list[Link]:
    uplinks = spec.network.uplinks
    return [
        _addressed(
            spec, Link(f"20-{interface(zone)}", interface(zone), _mtu(spec, zone)), name, zone
        )
        for name, zone in _by_tag(spec)
        if zone.vlan and zone.on in uplinks
    ]


def _mtu(spec: HostSpec, zone: Zone) -> str:
    return str(spec.network.uplinks[str(zone.on)].mtu)


def _addressed(spec: HostSpec, link: Link, name: str, zone: Zone) -> Link:
    learns = zone.address == "dhcp" or zone.address6 == "auto"
    return Link(
        unit=link.unit,
        name=link.name,
        mtu=link.mtu,
        vlans=link.vlans,
        zone=name,
        settings=_settings(zone),
        addresses=tuple(str(address) for address in zone.static),
        gateways=tuple(str(gateway) for gateway in (zone.gateway, zone.gateway6) if gateway),
        learn_resolvers=not spec.network.dns if learns else None,
    )


def _settings(zone: Zone) -> Mapping[str, object]:
    automatic = zone.address6 == "auto"
    settings: dict[str, object] = {
        **SILENT,
        "DHCP": "ipv4" if zone.address == "dhcp" else "no",
        "LinkLocalAddressing": "ipv6" if zone.address6 else "no",
        "IPv6AcceptRA": automatic,
    }
    if automatic:
        settings["IPv6PrivacyExtensions"] = False
    if zone.address != "dhcp" and not automatic:
        settings["ConfigureWithoutCarrier"] = True
    return settings


def _tuning(tuning: Tuning) -> Mapping[str, object]:
    buffer = int(tuning.buffer)
    return {
        "congestion": tuning.congestion,
        "modules": ["tcp_bbr"] if tuning.congestion == "bbr" else [],
        "qdisc": QDISC[tuning.congestion],
        "ecn": ECN[tuning.ecn],
        "buffer": buffer,
        "receive": f"4096 131072 {buffer}",
        "send": f"4096 16384 {buffer}",
    }
