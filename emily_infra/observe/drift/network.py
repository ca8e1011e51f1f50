"""Interfaces, addresses, VLANs and the firewall against host.yaml."""

import difflib
from collections.abc import Iterator
from ipaddress import ip_interface

from emily_infra.observe.drift.difference import Difference
from emily_infra.observe.network import Interface
from emily_infra.observe.observation import Observation
from emily_infra.spec.host import Host
from emily_infra.spec.network import Zone
from emily_infra.spec.topology import addresses, interface

AREA = "network"


def differences(host: Host, seen: Observation) -> Iterator[Difference]:
    """Cards, then the interface of each zone, then the firewall."""
    if seen.knows("interfaces") and seen.network.interfaces:
        yield from _cards(host, seen)
        for name in sorted(host.spec.network.zones):
            yield from _zone(host, name, seen)
    if seen.knows("table", "wished_table"):
        yield from _firewall(seen)


def _cards(host: Host, seen: Observation) -> Iterator[Difference]:
    for name, uplink in sorted(host.spec.network.uplinks.items()):
        found = seen.network.named(name)
        macs = {found.mac, found.permanent_mac} if found else set()
        if uplink.mac.lower() not in {mac.lower() for mac in macs}:
            shown = f"the card {found.permanent_mac}" if found else "no such interface"
            command = ("ip", "-brief", "link")
            yield Difference(AREA, name, f"the card {uplink.mac}", shown, command)


def _zone(host: Host, name: str, seen: Observation) -> Iterator[Difference]:
    zone = host.spec.network.zones[name]
    where = interface(zone)
    found = seen.network.named(where)
    command = ("networkctl", "reconfigure", where)
    if found is None:
        if zone.on != where:  # a card that is missing has been told of
            command = ("systemctl", "restart", "systemd-networkd")
            yield Difference(AREA, where, f"zone {name}", "no such interface", command)
        return
    if zone.vlan and (found.vlan, found.parent) != (zone.vlan, zone.on):
        wished, shown = f"VLAN {zone.vlan} on {zone.on}", f"VLAN {found.vlan} on {found.parent}"
        yield Difference(AREA, where, wished, shown, command)
    for wished, shown in _addresses(host, name, zone, found):
        yield Difference(AREA, where, wished, shown, command)


def _addresses(host: Host, name: str, zone: Zone, found: Interface) -> Iterator[tuple[str, str]]:
    has = {_normal(address) for address in found.addresses} - {None}
    wished = {str(address) for address in addresses(host.spec, name)}
    for address in sorted(wished - has):
        yield address, "no such address"
    learned = {version for version in (4, 6) if _learns(zone, version)}
    for each in sorted(address for address in has - wished if address):
        parsed = ip_interface(each)
        if parsed.version not in learned and not parsed.is_link_local:
            yield "no such address", each


def _normal(address: str) -> str | None:
    try:
        return str(ip_interface(address))
    except ValueError:
        return None


def _learns(zone: Zone, version: int) -> bool:
    return zone.address == "dhcp" if version == 4 else zone.address6 == "auto"


def _firewall(seen: Observation) -> Iterator[Difference]:
    wished, found = seen.network.firewall_wished, seen.network.firewall
    command = ("systemctl", "reload-or-restart", "nftables")
    where = "firewall"
    if not wished:
        return
    if not found:
        yield Difference(AREA, where, "table inet emily", "it is not loaded", command)
    elif found != wished:
        for minus, plus in _hunks(wished, found):
            yield Difference(AREA, where, minus or "nothing", plus or "nothing", command)


def _hunks(wished: str, found: str) -> Iterator[tuple[str, str]]:
    """Each change as the lines wished for and the lines found."""
    left, right = wished.splitlines(), found.splitlines()
    for kind, a, b, c, d in difflib.SequenceMatcher(a=left, b=right).get_opcodes():
        if kind != "equal":
            yield _joined(left[a:b]), _joined(right[c:d])


def _joined(lines: list[str]) -> str:
    return "; ".join(line.strip() for line in lines if line.strip())
